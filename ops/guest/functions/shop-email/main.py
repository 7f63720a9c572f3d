"""The confirmation of an order, written from a template (and not sent, as in Online Boutique)."""
import html
import re
from string import Template

import grpc
import serve
import shop_pb2 as pb

PAGE = Template("""<!DOCTYPE html><html><head><title>Your order</title></head><body><h2>Thank you for your order</h2>
<p>Order <b>$order</b>, parcel <b>$parcel</b>, shipping $shipping</p><ul>$items</ul></body></html>""")
ITEM = Template("<li>$count times $product, $cost</li>")


def amount(money):
    return f"{money.units}.{money.nanos // 10**7:02d} {html.escape(money.currency_code)}"


def write(order):
    items = "".join(ITEM.substitute(count=one.item.quantity, product=html.escape(one.item.product_id),
                                    cost=amount(one.cost)) for one in order.items)
    return PAGE.substitute(order=html.escape(order.order_id), parcel=html.escape(order.shipping_tracking_id),
                           shipping=amount(order.shipping_cost), items=items)


def send_order_confirmation(request, context):
    if not re.fullmatch(r"[^@\s]+@[^@\s]+\.[^@\s]+", request.email):
        context.abort(grpc.StatusCode.INVALID_ARGUMENT, "this is not an address")
    write(request.order)
    return pb.Empty()


serve.listen(8080, "hipstershop.EmailService",
             {"SendOrderConfirmation": (send_order_confirmation, pb.SendOrderConfirmationRequest)})
