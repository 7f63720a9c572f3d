"""Requests of the auth functions. The policy documents are written out here, as the API's documentation has them."""
import json

METHOD = "arn:aws:execute-api:eu-central-1:123456789012:function/prod/POST/order"


def policy(effect):
    return ('{"principalId":"user","policyDocument":{"Version":"2012-10-17","Statement":['
            '{"Action":"execute-api:Invoke",'
            f'"Effect":"{effect}","Resource":"{METHOD}"}}]}},"context":{{"token":"{effect}"}}}}')


def call(token, **expected):
    return {"grpc": "auth.Greeter/SayHello", "proto": "auth.proto", "request": {"name": token}, **expected}


print(json.dumps([
    call("allow", answer={"message": policy("Allow")}),
    call("deny", answer={"message": policy("Deny")}),
    call("someone else's", status=16),
], indent=1))
