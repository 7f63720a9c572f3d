// The best hotels by one measure: the nearest, the best rated or the cheapest; all that are equal.
package main

import (
	"context"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"usweep/hotel"
	pb "usweep/recommendation"
	"usweep/serve"
)

type server struct{ hotels []hotel.Hotel }

func (s server) GetRecommendations(_ context.Context, request *pb.Request) (*pb.Result, error) {
	cost := map[string]func(hotel.Hotel) float64{
		"dis":   func(one hotel.Hotel) float64 { return hotel.Kilometres(request.Lat, request.Lon, one.Lat, one.Lon) },
		"rate":  func(one hotel.Hotel) float64 { return -one.Rating },
		"price": func(one hotel.Hotel) float64 { return one.Price },
	}[request.Require]
	if cost == nil {
		return nil, status.Error(codes.InvalidArgument, "require is dis, rate or price")
	}
	result := &pb.Result{}
	least := 0.0
	for i, one := range s.hotels {
		own := cost(one)
		if i == 0 || own < least {
			least = own
			result.HotelIds = nil
		}
		if own == least {
			result.HotelIds = append(result.HotelIds, one.ID)
		}
	}
	return result, nil
}

func main() {
	hotels := hotel.All(hotel.Store())
	serve.Listen("8083", func(s *grpc.Server) { pb.RegisterRecommendationServer(s, server{hotels}) })
}
