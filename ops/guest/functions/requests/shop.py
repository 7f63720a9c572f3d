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


def shipping():
    address = {"street_address": "1 Mission St", "city": "San Francisco", "state": "CA", "country": "US",
               "zip_code": 94105}
    for quantities in ([], [1], [2, 3, 10]):
        items = [{"product_id": f"P{i:02d}", "quantity": n} for i, n in enumerate(quantities)]
        cost = Fraction("4.99") + sum(quantities) * Fraction("1.25") if quantities else Fraction(0)
        yield call("ShippingService/GetQuote", {"address": address, "items": items},
                   {"cost_usd": money("USD", int(cost), int((cost - int(cost)) * 10**9))})
    text = "1 Mission St, San Francisco, CA"
    yield call("ShippingService/ShipOrder", {"address": address},
               {"tracking_id": f"SF-{len(text)}-{hashlib.sha256(text.encode()).hexdigest()[:12].upper()}"})


def payment():
    def ask(number, year, **expected):
        return call("PaymentService/Charge", {
            "amount": money("USD", 12, 340000000),
            "credit_card": {"credit_card_number": number, "credit_card_cvv": 123, "credit_card_expiration_year": year,
                            "credit_card_expiration_month": 1}}, **expected)

    def transaction(number):
        own = hashlib.sha256(f"{number} USD 12.340000000".encode()).hexdigest()
        return {"transaction_id": "-".join((own[:8], own[8:12], own[12:16], own[16:20], own[20:32]))}

    # Numbers that card companies publish for tests, and one with a digit changed.
    for number in ("4111111111111111", "5555555555554444"):
        yield ask(number, 2999, answer=transaction(number))
    yield ask("4111111111111112", 2999, status=3)
    yield ask("378282246310005", 2999, status=3)
    yield ask("4111111111111111", 1969, status=3)


def email():
    order = {"order_id": "order-1", "shipping_tracking_id": "SF-1", "shipping_cost": money("USD", 8, 740000000),
             "items": [{"item": {"product_id": f"P{i:02d}", "quantity": i + 1}, "cost": money("USD", 5, i * 10**7)}
                       for i in range(8)]}
    yield call("EmailService/SendOrderConfirmation", {"email": "ada@example.org", "order": order}, {})
    yield call("EmailService/SendOrderConfirmation", {"email": "ada", "order": order}, status=3)


print(json.dumps(list(globals()[sys.argv[1]]()), indent=1))
