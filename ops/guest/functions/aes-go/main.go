// AES-128 in counter mode (NIST SP 800-38A) of a text: by the processor's AES instructions where it has them.
package main

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"encoding/hex"

	"google.golang.org/grpc"
	pb "usweep/aes"
	"usweep/serve"
)

// The key and the first counter block of the examples in NIST SP 800-38A, F.5.
const key, counter = "2b7e151628aed2a6abf7158809cf4f3c", "f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff"

func bytes(text string) []byte {
	decoded, err := hex.DecodeString(text)
	if err != nil {
		panic(err)
	}
	return decoded
}

type server struct{}

func (server) ShowEncryption(_ context.Context, request *pb.PlainTextMessage) (*pb.ReturnEncryptionInfo, error) {
	block, err := aes.NewCipher(bytes(key))
	if err != nil {
		return nil, err
	}
	text := []byte(request.PlaintextMessage)
	cipher.NewCTR(block, bytes(counter)).XORKeyStream(text, text)
	return &pb.ReturnEncryptionInfo{EncryptionInfo: hex.EncodeToString(text)}, nil
}

func main() {
	serve.Listen("50051", func(s *grpc.Server) { pb.RegisterAesServer(s, server{}) })
}
