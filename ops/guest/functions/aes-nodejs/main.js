// AES-128 in counter mode (NIST SP 800-38A) of a text, by OpenSSL, which is part of Node.js.
'use strict';
const crypto = require('crypto');
const { serve, decode, encode, text } = require('./grpc.js');

// The key and the first counter block of the examples in NIST SP 800-38A, F.5.
const key = Buffer.from('2b7e151628aed2a6abf7158809cf4f3c', 'hex');
const counter = Buffer.from('f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff', 'hex');

serve(50051, {
  '/aes.Aes/ShowEncryption': (bytes) => {
    const cipher = crypto.createCipheriv('aes-128-ctr', key, counter);
    const parts = [cipher.update(text(decode(bytes), 1), 'utf8'), cipher.final()];
    return encode([[1, Buffer.concat(parts).toString('hex')]]);
  },
});
