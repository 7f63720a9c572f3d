"""Requests of the hotel application's services: hotel.py SERVICE. The answers are computed here, from the same data."""
import hashlib
import json
import math
import struct
import sys

HOTELS = range(1, 81)


def lat(i):
    return 37.7835 + 0.004 * i


def lon(i):
    return -122.41 + 0.003 * i


def distance(i, there):
    """By the chord between two points of the unit sphere: another formula than the service's."""
    def point(a, b):
        a, b = math.radians(a), math.radians(b)
        return math.cos(a) * math.cos(b), math.cos(a) * math.sin(b), math.sin(a)
    return 2 * 6371 * math.asin(math.dist(point(lat(i), lon(i)), point(*there)) / 2)


def single(x):
    return struct.unpack("f", struct.pack("f", x))[0]


def call(service, method, request, answer=None, **expected):
    if answer is not None:
        expected["answer"] = answer
    return {"grpc": f"{service}.{service.capitalize()}/{method}", "proto": f"{service}.proto", "request": request,
            **expected}


def geo():
    for place in ((37.7867, -122.4112), (37.90, -122.33), (38.05, -122.20), (0.0, 0.0)):
        there = tuple(map(single, place))
        near = sorted((distance(i, there), i) for i in HOTELS if distance(i, there) <= 10)
        yield call("geo", "Nearby", {"lat": place[0], "lon": place[1]}, {"hotelIds": [str(i) for _, i in near[:5]]})


def profile():
    for ids in ([1, 2, 3], [7], [80, 40, 11, 5, 23], [81]):
        yield call("profile", "GetProfiles", {"hotelIds": [str(i) for i in ids], "locale": "en"}, {"hotels": [{
            "id": str(i), "name": f"Hotel {i}", "phoneNumber": f"(415) 284-40{i:02d}",
            "description": f"House number {i} of a chain, with {3 + i % 40} rooms.",
            "address": {"streetNumber": str(100 + i), "streetName": "Mission St", "city": "San Francisco",
                        "state": "CA", "country": "United States", "postalCode": f"94{100 + i}",
                        "lat": lat(i), "lon": lon(i)},
        } for i in ids if i in HOTELS]})


def rate():
    def cents(i):
        return 9900 + i * 37 % 70 * 100
    for ids in ([1, 2, 3], [9], [15, 60, 33, 12, 77]):
        yield call("rate", "GetRates", {"hotelIds": [str(i) for i in ids], "inDate": "2015-04-09",
                                        "outDate": "2015-04-10"}, {"ratePlans": [{
            "hotelId": str(i), "code": "RACK", "inDate": "2015-04-09", "outDate": f"2015-04-{10 + i % 18}",
            "roomType": {"bookableRate": cents(i) / 100, "totalRate": cents(i) / 100,
                         "totalRateInclusive": cents(i) * 112 // 100 / 100, "code": "KNG", "currency": "USD",
                         "roomDescription": "King size bed"},
        } for i in sorted(ids, key=cents, reverse=True)]})


def recommendation():
    def ask(require, cost, place=(37.7867, -122.4112)):
        least = min(map(cost, HOTELS))
        return call("recommendation", "GetRecommendations", {"require": require, "lat": place[0], "lon": place[1]},
                    {"HotelIds": [str(i) for i in HOTELS if cost(i) == least]})
    yield ask("dis", lambda i: distance(i, (37.95, -122.28)), (37.95, -122.28))
    yield ask("rate", lambda i: -(i * 7 % 50))
    yield ask("price", lambda i: i * 37 % 97)
    yield call("recommendation", "GetRecommendations", {"require": "stars"}, status=3)


def reservation():
    """Hotel 40 has 3 rooms. The answers are the same whether all this was asked before or not."""
    def ask(method, customer, hotels, rooms, answer, last="2015-04-11"):
        return call("reservation", method, {"customerName": customer, "hotelId": hotels, "inDate": "2015-04-09",
                                            "outDate": last, "roomNumber": rooms}, {"hotelId": answer})
    yield ask("MakeReservation", "Cornell_1", ["40"], 2, ["40"])
    yield ask("MakeReservation", "Cornell_2", ["40"], 2, [])
    yield ask("CheckAvailability", "Cornell_2", ["40", "41", "7"], 1, ["40", "41", "7"])
    yield ask("CheckAvailability", "Cornell_2", ["40", "41", "7"], 2, ["41", "7"])
    yield ask("CheckAvailability", "Cornell_2", ["1", "2", "3", "4", "5"], 6, ["3", "4", "5"], "2015-04-23")
    yield call("reservation", "CheckAvailability", {"customerName": "x", "hotelId": ["1"], "inDate": "tomorrow"},
               status=3)


def user():
    def known(name, password):
        table = {f"Cornell_{i}": hashlib.sha256((str(i) * 10).encode()).digest() for i in range(500)}
        return table.get(name) == hashlib.sha256(password.encode()).digest()
    for name, password in (("Cornell_5", "5" * 10), ("Cornell_77", "77" * 10), ("Cornell_77", "wrong"), ("nobody", "")):
        yield call("user", "CheckUser", {"username": name, "password": password},
                   {"correct": True} if known(name, password) else {})


print(json.dumps(list(globals()[sys.argv[1]]()), indent=1))
