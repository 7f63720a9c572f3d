// What is known of hotels: from the cache, or else from the store.
package main

import (
	"context"

	"github.com/bradfitz/gomemcache/memcache"
	"google.golang.org/grpc"
	"gopkg.in/redis.v5"
	"usweep/hotel"
	pb "usweep/profile"
	"usweep/serve"
)

type server struct {
	store *redis.Client
	cache *memcache.Client
}

func (s server) GetProfiles(_ context.Context, request *pb.Request) (*pb.Result, error) {
	hotels, err := hotel.Get(s.store, s.cache, request.HotelIds)
	if err != nil {
		return nil, err
	}
	result := &pb.Result{}
	for _, one := range hotels {
		result.Hotels = append(result.Hotels, &pb.Hotel{
			Id: one.ID, Name: one.Name, PhoneNumber: one.Phone, Description: one.Description,
			Address: &pb.Address{
				StreetNumber: one.StreetNumber, StreetName: one.StreetName, City: "San Francisco", State: "CA",
				Country: "United States", PostalCode: one.Postal, Lat: float32(one.Lat), Lon: float32(one.Lon),
			},
		})
	}
	return result, nil
}

func main() {
	service := server{hotel.Store(), hotel.Cache()}
	serve.Listen("8083", func(s *grpc.Server) { pb.RegisterProfileServer(s, service) })
}
