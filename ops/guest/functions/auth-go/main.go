// An authorizer: a token in, a policy document (JSON) out that allows or denies a method of an API.
package main

import (
	"context"
	"encoding/json"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	pb "usweep/auth"
	"usweep/serve"
)

const method = "arn:aws:execute-api:eu-central-1:123456789012:function/prod/POST/order"

type statement struct {
	Action, Effect, Resource string
}

type document struct {
	Version   string
	Statement []statement
}

type policy struct {
	Principal string            `json:"principalId"`
	Document  document          `json:"policyDocument"`
	Context   map[string]string `json:"context"`
}

func newPolicy(effect string) policy {
	return policy{
		Principal: "user",
		Document:  document{"2012-10-17", []statement{{"execute-api:Invoke", effect, method}}},
		Context:   map[string]string{"token": effect},
	}
}

type server struct{}

func (server) SayHello(_ context.Context, request *pb.HelloRequest) (*pb.HelloReply, error) {
	effect := map[string]string{"allow": "Allow", "deny": "Deny"}[request.Name]
	if effect == "" {
		return nil, status.Error(codes.Unauthenticated, "unknown token")
	}
	text, err := json.Marshal(newPolicy(effect))
	if err != nil {
		return nil, err
	}
	return &pb.HelloReply{Message: string(text)}, nil
}

func main() {
	serve.Listen("50051", func(s *grpc.Server) { pb.RegisterGreeterServer(s, server{}) })
}
