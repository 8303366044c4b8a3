"""Round-trip time between two points, from the great circle and a fitted line per network tier.

``RTT = 2 × km × route_factor × ms_per_km_one_way + equipment_rtt``. Every figure this module gives is a
*round trip*; the published 20 ms between hubs is *one way*. The formula misses single pairs by 10–25 %
(docs/catalogue.md).
"""

import math

from nodes.types import Point, TierModel

EARTH_RADIUS_KM = 6371.0088


def great_circle_km(a: Point, b: Point) -> float:
    """Distance over the sphere in km (haversine formula, exact for near points too)."""
    latitude_a, latitude_b = math.radians(a.latitude_deg), math.radians(b.latitude_deg)
    half_latitude = (latitude_b - latitude_a) / 2
    half_longitude = math.radians(b.longitude_deg - a.longitude_deg) / 2
    across = math.cos(latitude_a) * math.cos(latitude_b) * math.sin(half_longitude) ** 2
    return 2 * EARTH_RADIUS_KM * math.asin(math.sqrt(math.sin(half_latitude) ** 2 + across))


def round_trip_ms(a: Point, b: Point, model: TierModel) -> float:
    """Round trip in ms on a tier; two places at one point still pay the equipment's share."""
    one_way_ms = great_circle_km(a, b) * model.route_factor * model.ms_per_km_one_way
    return 2 * one_way_ms + model.equipment_rtt_ms
