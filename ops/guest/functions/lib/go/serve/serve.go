// Package serve is what all functions in Go have in common: a server that listens.
package serve

import (
	"log"
	"net"
	"os"

	"google.golang.org/grpc"
)

// Listen serves what register adds, at $LISTEN or else at port of all addresses, until the process ends.
func Listen(port string, register func(*grpc.Server)) {
	address := os.Getenv("LISTEN")
	if address == "" {
		address = "0.0.0.0:" + port
	}
	listener, err := net.Listen("tcp", address)
	if err != nil {
		log.Fatal(err)
	}
	server := grpc.NewServer()
	register(server)
	log.Printf("serving at %s", address)
	log.Fatal(server.Serve(listener))
}
