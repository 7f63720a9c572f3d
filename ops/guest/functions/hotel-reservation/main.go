// Booking rooms, and asking which hotels have some. Bookings are in the store; how many rooms of a night are taken, is
// cached. Whoever books again for a night changes the earlier booking, so that a request may be repeated.
package main

import (
	"context"
	"strconv"
	"time"

	"github.com/bradfitz/gomemcache/memcache"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"gopkg.in/redis.v5"
	"usweep/hotel"
	pb "usweep/reservation"
	"usweep/serve"
)

const mostNights = 31

type server struct {
	store *redis.Client
	cache *memcache.Client
}

func nights(request *pb.Request) ([]string, error) {
	first, err := time.Parse("2006-01-02", request.InDate)
	last, err2 := time.Parse("2006-01-02", request.OutDate)
	if err != nil || err2 != nil || !first.Before(last) || last.Sub(first) > mostNights*24*time.Hour {
		return nil, status.Errorf(codes.InvalidArgument, "the dates are not a stay of 1 to %d nights", mostNights)
	}
	if request.RoomNumber < 1 {
		return nil, status.Error(codes.InvalidArgument, "the number of rooms is not positive")
	}
	var dates []string
	for day := first; day.Before(last); day = day.AddDate(0, 0, 1) {
		dates = append(dates, day.Format("2006-01-02"))
	}
	return dates, nil
}

func key(id, night string) string { return "booked:" + id + ":" + night }

// Rooms of a night that are taken by others than this customer.
func (s server) takenByOthers(id, night, customer string) (int, error) {
	bookings, err := s.store.HGetAll(key(id, night)).Result()
	sum := 0
	for name, rooms := range bookings {
		if n, _ := strconv.Atoi(rooms); name != customer {
			sum += n
		}
	}
	return sum, err
}

// Rooms of a night that are taken.
func (s server) taken(id, night string) (int, error) {
	if item, err := s.cache.Get(key(id, night)); err == nil {
		return strconv.Atoi(string(item.Value))
	} else if err != memcache.ErrCacheMiss {
		return 0, err
	}
	sum, err := s.takenByOthers(id, night, "")
	if err != nil {
		return 0, err
	}
	return sum, s.cache.Set(&memcache.Item{Key: key(id, night), Value: []byte(strconv.Itoa(sum))})
}

func (s server) MakeReservation(_ context.Context, request *pb.Request) (*pb.Result, error) {
	dates, err := nights(request)
	if err != nil {
		return nil, err
	}
	if len(request.HotelId) != 1 || request.CustomerName == "" {
		return nil, status.Error(codes.InvalidArgument, "one hotel and a customer's name are needed")
	}
	hotels, err := hotel.Get(s.store, s.cache, request.HotelId)
	if err != nil || len(hotels) == 0 {
		return &pb.Result{}, err
	}
	for _, night := range dates {
		others, err := s.takenByOthers(hotels[0].ID, night, request.CustomerName)
		if err != nil || others+int(request.RoomNumber) > hotels[0].Rooms {
			return &pb.Result{}, err
		}
	}
	for _, night := range dates {
		if err := s.store.HSet(key(hotels[0].ID, night), request.CustomerName, request.RoomNumber).Err(); err != nil {
			return nil, err
		}
		if err := s.cache.Delete(key(hotels[0].ID, night)); err != nil && err != memcache.ErrCacheMiss {
			return nil, err
		}
	}
	return &pb.Result{HotelId: []string{hotels[0].ID}}, nil
}

func (s server) CheckAvailability(_ context.Context, request *pb.Request) (*pb.Result, error) {
	dates, err := nights(request)
	if err != nil {
		return nil, err
	}
	hotels, err := hotel.Get(s.store, s.cache, request.HotelId)
	if err != nil {
		return nil, err
	}
	result := &pb.Result{}
	for _, one := range hotels {
		free := true
		for _, night := range dates {
			sum, err := s.taken(one.ID, night)
			if err != nil {
				return nil, err
			}
			free = free && sum+int(request.RoomNumber) <= one.Rooms
		}
		if free {
			result.HotelId = append(result.HotelId, one.ID)
		}
	}
	return result, nil
}

func main() {
	service := server{hotel.Store(), hotel.Cache()}
	serve.Listen("8083", func(s *grpc.Server) { pb.RegisterReservationServer(s, service) })
}
