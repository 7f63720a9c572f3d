// An authorizer: a token in, a policy document (JSON) out that allows or denies a method of an API.
'use strict';
const { codes, StatusError, serve, decode, encode, text } = require('./grpc.js');

const method = 'arn:aws:execute-api:eu-central-1:123456789012:function/prod/POST/order';

function policy(effect) {
  return {
    principalId: 'user',
    policyDocument: {
      Version: '2012-10-17',
      Statement: [{ Action: 'execute-api:Invoke', Effect: effect, Resource: method }],
    },
    context: { token: effect },
  };
}

serve(50051, {
  '/auth.Greeter/SayHello': (bytes) => {
    const effect = { allow: 'Allow', deny: 'Deny' }[text(decode(bytes), 1)];
    if (!effect) throw new StatusError(codes.UNAUTHENTICATED, 'unknown token');
    return encode([[1, JSON.stringify(policy(effect))]]);
  },
});
