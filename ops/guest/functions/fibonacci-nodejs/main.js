// The n-th number of Fibonacci, by the slow definition: calls and branches.
'use strict';
const { codes, StatusError, serve, decode, encode, text } = require('./grpc.js');

const most = 40;

function fibonacci(n) {
  return n < 2 ? n : fibonacci(n - 1) + fibonacci(n - 2);
}

serve(50051, {
  '/fibonacci.Greeter/SayHello': (bytes) => {
    const name = text(decode(bytes), 1);
    const n = /^\d+$/.test(name) ? Number(name) : -1;
    if (n < 0 || n > most) throw new StatusError(codes.INVALID_ARGUMENT, `the name is not a number from 0 to ${most}`);
    return encode([[1, String(fibonacci(n))]]);
  },
});
