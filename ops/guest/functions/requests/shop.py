"""Requests of the shop's services: shop.py SERVICE. The answers are computed here: money by exact fractions."""
import hashlib
import json
import pathlib
import sys
from fractions import Fraction

WORDS = "sunglasses tank-top watch loafers hairdryer candle-holder salt-shaker jar mug lamp kettle clock".split()
RATES = json.loads((pathlib.Path(__file__).parent.parent / "shop-currency/rates.json").read_text())


def call(method, request, answer=None, **expected):
    if answer is not None:
        expected["answer"] = answer
    return {"grpc": f"hipstershop.{method}", "proto": "shop.proto", "request": request, **expected}


def money(code, units, nanos):
    return {"currency_code": code, **({"units": units} if units else {}), **({"nanos": nanos} if nanos else {})}


def currency():
    for code, units, nanos, to in (("USD", 100, 0, "CHF"), ("JPY", 123456, 500000000, "EUR"),
                                   ("EUR", 0, 10000000, "IDR"), ("GBP", 9007199254, 999999999, "KRW"), ("CHF", 1, 0, "CHF")):
        euros = int((units * 10**9 + nanos) / Fraction(RATES[code]))
        answer = int(euros * Fraction(RATES[to]))
        yield call("CurrencyService/Convert", {"from": money(code, units, nanos), "to_code": to},
                   money(to, *divmod(answer, 10**9)))
    yield call("CurrencyService/GetSupportedCurrencies", {}, {"currency_codes": list(RATES)})
    yield call("CurrencyService/Convert", {"from": money("USD", 1, 0), "to_code": "XXX"}, status=3)


def product(i):
    word = WORDS[i]
    name = "-".join(part.capitalize() for part in word.split("-"))
    return {"id": f"P{i:02d}", "name": name, "description": f"A {word}, number {i} of the catalogue.",
            "picture": f"/static/{word}.jpg", "price_usd": money("USD", 5 + i * 7 % 90, i * 90000000),
            "categories": [("clothing", "home", "kitchen")[i % 3]]}


def productcatalog():
    every = [product(i) for i in range(len(WORDS))]
    yield call("ProductCatalogService/ListProducts", {}, {"products": every})
    yield call("ProductCatalogService/GetProduct", {"id": "P07"}, every[7])
    yield call("ProductCatalogService/GetProduct", {"id": "P99"}, status=5)
    yield call("ProductCatalogService/SearchProducts", {"query": "Lamp"}, {"results": [every[9]]})
    yield call("ProductCatalogService/SearchProducts", {"query": "catalogue"}, {"results": every})


def recommendation():
    for who, basket in (("Ada", []), ("Grace", ["P01", "P02"]), ("Edsger", [f"P{i:02d}" for i in range(9)])):
        rest = [f"P{i:02d}" for i in range(len(WORDS)) if f"P{i:02d}" not in basket]
        rest.sort(key=lambda own: int(hashlib.sha256(f"{who} {own}".encode()).hexdigest(), 16))
        yield call("RecommendationService/ListRecommendations", {"user_id": who, "product_ids": basket},
                   {"product_ids": rest[:5]})


print(json.dumps(list(globals()[sys.argv[1]]()), indent=1))
