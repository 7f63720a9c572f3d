// Hotels near a place: at most five, within ten kilometres, the nearest first.
package main

import (
	"context"
	"sort"

	"google.golang.org/grpc"
	pb "usweep/geo"
	"usweep/hotel"
	"usweep/serve"
)

const mostHotels, mostKilometres = 5, 10

type server struct{ hotels []hotel.Hotel }

func (s server) Nearby(_ context.Context, request *pb.Request) (*pb.Result, error) {
	type place struct {
		id       string
		distance float64
	}
	var places []place
	for _, one := range s.hotels {
		distance := hotel.Kilometres(float64(request.Lat), float64(request.Lon), one.Lat, one.Lon)
		if distance <= mostKilometres {
			places = append(places, place{one.ID, distance})
		}
	}
	sort.Slice(places, func(a, b int) bool { return places[a].distance < places[b].distance })
	result := &pb.Result{}
	for i := 0; i < len(places) && i < mostHotels; i++ {
		result.HotelIds = append(result.HotelIds, places[i].id)
	}
	return result, nil
}

func main() {
	hotels := hotel.All(hotel.Store())
	serve.Listen("8083", func(s *grpc.Server) { pb.RegisterGeoServer(s, server{hotels}) })
}
