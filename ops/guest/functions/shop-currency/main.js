// Money from one currency to another, by way of euros, in whole nanounits; and which currencies there are.
'use strict';
const { codes, StatusError, serve, decode, encode, text } = require('./grpc.js');

const scale = 1000000n; // of the rates
const billion = 1000000000n;

function scaled(rate) {
  const [whole, part = ''] = rate.split('.');
  return BigInt(whole + part.padEnd(6, '0'));
}

const rates = new Map(Object.entries(require('./rates.json')).map(([code, rate]) => [code, scaled(rate)]));

function rateOf(code) {
  const rate = rates.get(code);
  if (!rate) throw new StatusError(codes.INVALID_ARGUMENT, `there is no currency '${code}'`);
  return rate;
}

function convert(bytes) {
  const request = decode(bytes);
  const from = decode((request[1] || [Buffer.alloc(0)])[0]);
  const to = text(request, 2);
  const amount = (from[2] || [0n])[0] * billion + (from[3] || [0n])[0];
  const euros = amount * scale / rateOf(text(from, 1));
  const converted = euros * rateOf(to) / scale;
  return encode([[1, to], [2, converted / billion], [3, converted % billion]]);
}

serve(7000, {
  '/hipstershop.CurrencyService/GetSupportedCurrencies': () => encode([...rates.keys()].map((code) => [1, code])),
  '/hipstershop.CurrencyService/Convert': convert,
});
