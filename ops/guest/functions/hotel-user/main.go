// A login: is this the user's password? The store has its SHA-256.
package main

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"fmt"
	"log"
	"strconv"
	"strings"

	"google.golang.org/grpc"
	"gopkg.in/redis.v5"
	"usweep/hotel"
	"usweep/serve"
	pb "usweep/user"
)

// As in DeathStarBench: Cornell_0 to Cornell_499; the password is the number, ten times.
const users = 500

func digest(password string) string {
	sum := sha256.Sum256([]byte(password))
	return hex.EncodeToString(sum[:])
}

type server struct{ store *redis.Client }

func (s server) CheckUser(_ context.Context, request *pb.Request) (*pb.Result, error) {
	stored, err := s.store.HGet("users", request.Username).Result()
	if err != nil && err != redis.Nil {
		return nil, err
	}
	equal := subtle.ConstantTimeCompare([]byte(stored), []byte(digest(request.Password)))
	return &pb.Result{Correct: equal == 1}, nil
}

func main() {
	store := hotel.Store()
	all := map[string]string{}
	for i := 0; i < users; i++ {
		all[fmt.Sprintf("Cornell_%d", i)] = digest(strings.Repeat(strconv.Itoa(i), 10))
	}
	if err := store.HMSet("users", all).Err(); err != nil {
		log.Fatal(err)
	}
	serve.Listen("8083", func(s *grpc.Server) { pb.RegisterUserServer(s, server{store}) })
}
