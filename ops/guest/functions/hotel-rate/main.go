// Rate plans of hotels, the dearest first: from the cache, or else from the store.
package main

import (
	"context"
	"sort"

	"github.com/bradfitz/gomemcache/memcache"
	"google.golang.org/grpc"
	"gopkg.in/redis.v5"
	"usweep/hotel"
	pb "usweep/rate"
	"usweep/serve"
)

type server struct {
	store *redis.Client
	cache *memcache.Client
}

func (s server) GetRates(_ context.Context, request *pb.Request) (*pb.Result, error) {
	hotels, err := hotel.Get(s.store, s.cache, request.HotelIds)
	if err != nil {
		return nil, err
	}
	result := &pb.Result{}
	for _, one := range hotels {
		result.RatePlans = append(result.RatePlans, &pb.RatePlan{
			HotelId: one.ID, Code: one.PlanCode, InDate: one.PlanIn, OutDate: one.PlanOut,
			RoomType: &pb.RoomType{
				BookableRate: one.Bookable, TotalRate: one.Total, TotalRateInclusive: one.TotalInclusive,
				Code: "KNG", Currency: "USD", RoomDescription: one.Room,
			},
		})
	}
	plans := result.RatePlans
	sort.SliceStable(plans, func(a, b int) bool { return plans[a].RoomType.TotalRate > plans[b].RoomType.TotalRate })
	return result, nil
}

func main() {
	service := server{hotel.Store(), hotel.Cache()}
	serve.Listen("8083", func(s *grpc.Server) { pb.RegisterRateServer(s, service) })
}
