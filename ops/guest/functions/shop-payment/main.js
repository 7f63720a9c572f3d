// A card's charge: its number (by Luhn's sum), company and date are checked. The transaction follows from the charge.
'use strict';
const crypto = require('crypto');
const { codes, StatusError, serve, decode, encode, text } = require('./grpc.js');

function passesLuhn(number) {
  let sum = 0;
  [...number].reverse().forEach((digit, i) => {
    const value = Number(digit) * (i % 2 ? 2 : 1);
    sum += value > 9 ? value - 9 : value;
  });
  return sum % 10 === 0;
}

function check(number, year, month) {
  const refuse = (why) => { throw new StatusError(codes.INVALID_ARGUMENT, why); };
  if (!/^\d{13,19}$/.test(number) || !passesLuhn(number)) refuse('this is not the number of a card');
  if (!/^(4|5[1-5])/.test(number)) refuse('only VISA and MasterCard are taken');
  const now = new Date();
  if (year * 12 + month < now.getUTCFullYear() * 12 + now.getUTCMonth() + 1) refuse('the card has expired');
}

serve(50051, {
  '/hipstershop.PaymentService/Charge': (bytes) => {
    const request = decode(bytes);
    const nested = (number) => decode((request[number] || [Buffer.alloc(0)])[0]);
    const [amount, card] = [nested(1), nested(2)];
    const value = (fields, number) => (fields[number] || [0n])[0];
    const number = text(card, 1);
    check(number, Number(value(card, 3)), Number(value(card, 4)));
    const money = `${text(amount, 1)} ${value(amount, 2)}.${String(value(amount, 3)).padStart(9, '0')}`;
    const own = crypto.createHash('sha256').update(`${number} ${money}`).digest('hex');
    return encode([[1, own.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12}).*$/, '$1-$2-$3-$4-$5')]]);
  },
});
