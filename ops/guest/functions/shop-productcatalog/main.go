// A shop's products: all of them, one of them, or those with a word in their name or description.
package main

import (
	"context"
	"fmt"
	"strings"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"usweep/serve"
	pb "usweep/shop"
)

var words = strings.Fields("sunglasses tank-top watch loafers hairdryer candle-holder salt-shaker jar mug lamp kettle clock")

// requests/shop.py has the same formulas.
func newProduct(i int) *pb.Product {
	word := words[i]
	return &pb.Product{
		Id: fmt.Sprintf("P%02d", i), Name: strings.Title(word), Picture: fmt.Sprintf("/static/%s.jpg", word),
		Description: fmt.Sprintf("A %s, number %d of the catalogue.", word, i),
		PriceUsd:    &pb.Money{CurrencyCode: "USD", Units: int64(5 + i*7%90), Nanos: int32(i * 90000000)},
		Categories:  []string{[]string{"clothing", "home", "kitchen"}[i%3]},
	}
}

type server struct{ products []*pb.Product }

func (s server) ListProducts(context.Context, *pb.Empty) (*pb.ListProductsResponse, error) {
	return &pb.ListProductsResponse{Products: s.products}, nil
}

func (s server) GetProduct(_ context.Context, request *pb.GetProductRequest) (*pb.Product, error) {
	for _, one := range s.products {
		if one.Id == request.Id {
			return one, nil
		}
	}
	return nil, status.Errorf(codes.NotFound, "there is no product '%s'", request.Id)
}

func (s server) SearchProducts(_ context.Context, request *pb.SearchProductsRequest) (*pb.SearchProductsResponse, error) {
	response, query := &pb.SearchProductsResponse{}, strings.ToLower(request.Query)
	for _, one := range s.products {
		if strings.Contains(strings.ToLower(one.Name), query) || strings.Contains(strings.ToLower(one.Description), query) {
			response.Results = append(response.Results, one)
		}
	}
	return response, nil
}

func main() {
	service := server{}
	for i := range words {
		service.products = append(service.products, newProduct(i))
	}
	serve.Listen("3550", func(s *grpc.Server) { pb.RegisterProductCatalogServiceServer(s, service) })
}
