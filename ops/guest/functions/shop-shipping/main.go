// A shop's parcels: what sending costs, by the number of things, and a number to track a parcel by.
package main

import (
	"context"
	"crypto/sha256"
	"fmt"

	"google.golang.org/grpc"
	"usweep/serve"
	pb "usweep/shop"
)

const baseCents, itemCents = 499, 125

type server struct{}

func (server) GetQuote(_ context.Context, request *pb.GetQuoteRequest) (*pb.GetQuoteResponse, error) {
	count, cents := int64(0), int64(0)
	for _, item := range request.Items {
		count += int64(item.Quantity)
	}
	if count > 0 {
		cents = baseCents + count*itemCents
	}
	cost := &pb.Money{CurrencyCode: "USD", Units: cents / 100, Nanos: int32(cents%100) * 10000000}
	return &pb.GetQuoteResponse{CostUsd: cost}, nil
}

func (server) ShipOrder(_ context.Context, request *pb.ShipOrderRequest) (*pb.ShipOrderResponse, error) {
	address := request.GetAddress()
	text := fmt.Sprintf("%s, %s, %s", address.GetStreetAddress(), address.GetCity(), address.GetState())
	sum := sha256.Sum256([]byte(text))
	return &pb.ShipOrderResponse{TrackingId: fmt.Sprintf("SF-%d-%X", len(text), sum[:6])}, nil
}

func main() {
	serve.Listen("50051", func(s *grpc.Server) { pb.RegisterShippingServiceServer(s, server{}) })
}
