// The n-th number of Fibonacci, by the slow definition: calls and branches.
package main

import (
	"context"
	"strconv"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	pb "usweep/fibonacci"
	"usweep/serve"
)

const most = 40

func fibonacci(n int) int {
	if n < 2 {
		return n
	}
	return fibonacci(n-1) + fibonacci(n-2)
}

type server struct{}

func (server) SayHello(_ context.Context, request *pb.HelloRequest) (*pb.HelloReply, error) {
	n, err := strconv.Atoi(request.Name)
	if err != nil || n < 0 || n > most {
		return nil, status.Errorf(codes.InvalidArgument, "the name is not a number from 0 to %d", most)
	}
	return &pb.HelloReply{Message: strconv.Itoa(fibonacci(n))}, nil
}

func main() {
	serve.Listen("50051", func(s *grpc.Server) { pb.RegisterGreeterServer(s, server{}) })
}
