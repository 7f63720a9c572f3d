"""Five products that somebody may like, and has not in the basket: all products come from the catalogue's service, at
each call. Which ones, follows from the user's name alone (Online Boutique draws them at random)."""
import hashlib
import os

import grpc
import serve
import shop_pb2 as pb

channel = grpc.insecure_channel(os.environ.get("CATALOG", "127.0.0.1:3550"))
list_products = channel.unary_unary(
    "/hipstershop.ProductCatalogService/ListProducts", request_serializer=pb.Empty.SerializeToString,
    response_deserializer=pb.ListProductsResponse.FromString)


def list_recommendations(request, _):
    products = list_products(pb.Empty(), timeout=60, wait_for_ready=True).products
    others = {product.id for product in products} - set(request.product_ids)
    ranked = sorted(others, key=lambda own: hashlib.sha256(f"{request.user_id} {own}".encode()).digest())
    return pb.ListRecommendationsResponse(product_ids=ranked[:5])


serve.listen(8080, "hipstershop.RecommendationService",
             {"ListRecommendations": (list_recommendations, pb.ListRecommendationsRequest)})
