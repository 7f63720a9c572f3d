"""An authorizer: a token in, a policy document (JSON) out that allows or denies a method of an API."""
import json

import auth_pb2 as pb
import grpc
import serve

METHOD = "arn:aws:execute-api:eu-central-1:123456789012:function/prod/POST/order"
EFFECTS = {"allow": "Allow", "deny": "Deny"}


def policy(effect):
    return {
        "principalId": "user",
        "policyDocument": {
            "Version": "2012-10-17",
            "Statement": [{"Action": "execute-api:Invoke", "Effect": effect, "Resource": METHOD}],
        },
        "context": {"token": effect},
    }


def say_hello(request, context):
    if request.name not in EFFECTS:
        context.abort(grpc.StatusCode.UNAUTHENTICATED, "unknown token")
    return pb.HelloReply(message=json.dumps(policy(EFFECTS[request.name]), separators=(",", ":")))


serve.listen(50051, "auth.Greeter", {"SayHello": (say_hello, pb.HelloRequest)})
