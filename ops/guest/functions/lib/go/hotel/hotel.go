// Package hotel is what the services of the hotel application have in common: their data, store and cache.
//
// After DeathStarBench's hotelReservation, which keeps its data in MongoDB; Debian has none, so the store is redis.
package hotel

import (
	"encoding/json"
	"fmt"
	"log"
	"math"
	"os"
	"sort"
	"strconv"
	"time"

	"github.com/bradfitz/gomemcache/memcache"
	"gopkg.in/redis.v5"
)

// Count is how many hotels there are; their identifiers are 1 to Count.
const Count = 80

// Hotel is one of them, as the store has it. requests/hotel.py has the same formulas.
type Hotel struct {
	ID, Name, Phone, Description      string
	StreetNumber, StreetName, Postal  string
	Lat, Lon, Rating, Price           float64
	Rooms                             int
	PlanIn, PlanOut, PlanCode, Room   string
	Bookable, Total, TotalInclusive   float64
}

func newHotel(i int) Hotel {
	total := float64(9900 + i*37%70*100)
	return Hotel{
		ID: strconv.Itoa(i), Name: fmt.Sprintf("Hotel %d", i), Phone: fmt.Sprintf("(415) 284-40%02d", i),
		Description:  fmt.Sprintf("House number %d of a chain, with %d rooms.", i, 3+i%40),
		StreetNumber: strconv.Itoa(100 + i), StreetName: "Mission St", Postal: fmt.Sprintf("94%03d", 100+i),
		Lat: 37.7835 + float64(0.004*float64(i)), Lon: -122.41 + float64(0.003*float64(i)),
		Rating: float64(i*7%50) / 10, Price: float64(50 + i*37%97),
		Rooms:  3 + i%40,
		PlanIn: "2015-04-09", PlanOut: fmt.Sprintf("2015-04-%d", 10+i%18), PlanCode: "RACK", Room: "King size bed",
		Bookable: total / 100, Total: total / 100, TotalInclusive: float64(int(total)*112/100) / 100,
	}
}

func address(variable, usual string) string {
	if own := os.Getenv(variable); own != "" {
		return own
	}
	return usual
}

// Store connects to redis ($REDIS), waiting for it, and fills it with what is missing.
func Store() *redis.Client {
	store := redis.NewClient(&redis.Options{
		Addr: address("REDIS", "127.0.0.1:6379"), PoolSize: 4, IdleCheckFrequency: -1,
		DialTimeout: time.Minute, ReadTimeout: time.Minute, WriteTimeout: time.Minute,
	})
	for turn := 0; store.Ping().Err() != nil; turn++ {
		if turn == 1200 {
			log.Fatal("redis does not answer")
		}
		time.Sleep(50 * time.Millisecond)
	}
	hotels := map[string]string{}
	for i := 1; i <= Count; i++ {
		text, err := json.Marshal(newHotel(i))
		if err != nil {
			log.Fatal(err)
		}
		hotels[strconv.Itoa(i)] = string(text)
	}
	if err := store.HMSet("hotels", hotels).Err(); err != nil {
		log.Fatal(err)
	}
	return store
}

// Cache connects to memcached ($MEMCACHED).
func Cache() *memcache.Client {
	cache := memcache.New(address("MEMCACHED", "127.0.0.1:11211"))
	cache.Timeout = time.Minute
	return cache
}

// All reads every hotel from the store, by number.
func All(store *redis.Client) []Hotel {
	texts, err := store.HGetAll("hotels").Result()
	if err != nil {
		log.Fatal(err)
	}
	var hotels []Hotel
	for _, text := range texts {
		var hotel Hotel
		if err := json.Unmarshal([]byte(text), &hotel); err != nil {
			log.Fatal(err)
		}
		hotels = append(hotels, hotel)
	}
	sort.Slice(hotels, func(a, b int) bool { return number(hotels[a]) < number(hotels[b]) })
	return hotels
}

func number(hotel Hotel) int {
	value, _ := strconv.Atoi(hotel.ID)
	return value
}

// Get reads hotels, in the order in which they are named: from the cache, and what is not there from the store, which
// is cached then. Hotels that do not exist are left out.
func Get(store *redis.Client, cache *memcache.Client, ids []string) ([]Hotel, error) {
	keys := []string{}
	for _, id := range ids {
		if n, err := strconv.Atoi(id); err == nil && n > 0 && n <= Count {
			keys = append(keys, "hotel:"+id)
		}
	}
	cached, err := cache.GetMulti(keys)
	if err != nil {
		return nil, err
	}
	var hotels []Hotel
	for _, key := range keys {
		var text []byte
		if item := cached[key]; item != nil {
			text = item.Value
		} else {
			stored, err := store.HGet("hotels", key[len("hotel:"):]).Result()
			if err != nil {
				return nil, err
			}
			text = []byte(stored)
			if err := cache.Set(&memcache.Item{Key: key, Value: text}); err != nil {
				return nil, err
			}
		}
		var hotel Hotel
		if err := json.Unmarshal(text, &hotel); err != nil {
			return nil, err
		}
		hotels = append(hotels, hotel)
	}
	return hotels, nil
}

// Kilometres is the distance of two places on a sphere.
func Kilometres(lat1, lon1, lat2, lon2 float64) float64 {
	const degree, radius = math.Pi / 180, 6371
	a := math.Sin((lat2 - lat1) * degree / 2)
	b := math.Sin((lon2 - lon1) * degree / 2)
	return 2 * radius * math.Asin(math.Sqrt(a*a+math.Cos(lat1*degree)*math.Cos(lat2*degree)*b*b))
}
