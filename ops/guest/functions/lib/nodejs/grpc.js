// gRPC over Node.js's own HTTP/2: unary methods, for functions. Debian has no grpc-js.
'use strict';
const http2 = require('http2');

const codes = { INVALID_ARGUMENT: 3, UNIMPLEMENTED: 12, INTERNAL: 13, UNAUTHENTICATED: 16 };

class StatusError extends Error {
  constructor(code, message) {
    super(message);
    this.code = code;
  }
}

function fail(stream, error) {
  stream.respond({
    ':status': 200,
    'content-type': 'application/grpc',
    'grpc-status': String(error instanceof StatusError ? error.code : codes.INTERNAL),
    'grpc-message': encodeURIComponent(error.message).replace(/%20/g, ' '),
  }, { endStream: true });
}

function succeed(stream, message) {
  const prefix = Buffer.alloc(5);
  prefix.writeUInt32BE(message.length, 1);
  stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
  stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
  stream.end(Buffer.concat([prefix, message]));
}

function open(body) {
  if (body.length < 5 || body[0] !== 0 || body.readUInt32BE(1) !== body.length - 5) {
    throw new StatusError(codes.INTERNAL, 'the request is not one message');
  }
  return body.subarray(5);
}

// Serves methods (from a path to a function of bytes that gives bytes) at $LISTEN, or else the port.
function serve(port, methods) {
  const server = http2.createServer();
  server.on('connection', (socket) => socket.setNoDelay(true));
  server.on('stream', (stream, headers) => {
    const parts = [];
    stream.on('error', () => {});
    stream.on('data', (part) => parts.push(part));
    stream.on('end', async () => {
      try {
        const method = methods[headers[':path']];
        if (!method) throw new StatusError(codes.UNIMPLEMENTED, `there is no ${headers[':path']}`);
        succeed(stream, await method(open(Buffer.concat(parts))));
      } catch (error) {
        fail(stream, error);
      }
    });
  });
  const [, host, own] = /^(.*):(\d+)$/.exec(process.env.LISTEN || `0.0.0.0:${port}`);
  server.listen(Number(own), host, () => console.log(`serving at ${host}:${own}`));
}

// The fields of a message, by number: a list of numbers (BigInt) or bytes.
function decode(bytes) {
  const fields = {};
  let at = 0;
  const number = () => {
    let value = 0n;
    for (let shift = 0n; at < bytes.length && shift < 70n; shift += 7n) {
      const byte = bytes[at++];
      value |= BigInt(byte & 127) << shift;
      if (byte < 128) return BigInt.asIntN(64, value);
    }
    throw new StatusError(codes.INTERNAL, 'the message is cut short');
  };
  while (at < bytes.length) {
    const key = Number(number());
    let value;
    if ((key & 7) === 0) value = number();
    else if ((key & 7) === 2) {
      const length = Number(number());
      if (length < 0 || at + length > bytes.length) throw new StatusError(codes.INTERNAL, 'the message is cut short');
      value = bytes.subarray(at, at += length);
    } else throw new StatusError(codes.INTERNAL, 'the message has a field of another type');
    (fields[key >> 3] ||= []).push(value);
  }
  return fields;
}

function varint(value) {
  const bytes = [];
  for (let rest = BigInt.asUintN(64, value); ; rest >>= 7n) {
    bytes.push(Number(rest & 127n) | (rest > 127n ? 128 : 0));
    if (rest < 128n) return Buffer.from(bytes);
  }
}

// A message of pairs: a field's number, and its number (BigInt), text or bytes. Zero and nothing are left out.
function encode(pairs) {
  const parts = [];
  for (const [field, value] of pairs) {
    if (typeof value === 'bigint') {
      if (value !== 0n) parts.push(varint(BigInt(field) << 3n), varint(value));
    } else {
      const bytes = Buffer.from(value);
      if (bytes.length) parts.push(varint(BigInt(field) << 3n | 2n), varint(BigInt(bytes.length)), bytes);
    }
  }
  return Buffer.concat(parts);
}

// The last text of a field.
function text(fields, number) {
  return (fields[number] || []).map(String).pop() || '';
}

module.exports = { codes, StatusError, serve, decode, encode, text };
