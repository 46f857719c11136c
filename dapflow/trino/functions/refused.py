"""Functions that Athena has and the table has no signature of; they are refused by name."""

from __future__ import annotations

_NAMES = """
tdigest_agg qdigest_agg value_at_quantile values_at_quantiles quantile_at_value
make_set_digest merge_set_digest jaccard_index intersection_cardinality hash_counts
ip_prefix is_subnet_of ip_prefix_min ip_prefix_max
bar color render rgb
classify features learn_classifier learn_libsvm_classifier learn_libsvm_regressor learn_regressor regress
evaluate_classifier_predictions
convex_hull_agg flatten_geometry_collections from_encoded_polyline from_geojson_geometry geometry_from_hadoop_shape
geometry_invalid_reason geometry_nearest_points geometry_to_bing_tiles geometry_union geometry_union_agg
great_circle_distance line_interpolate_point line_interpolate_points line_locate_point simplify_geometry
spatial_partitioning to_encoded_polyline to_geojson_geometry to_geometry to_spherical_geography
from_iso8601_timestamp_nanos
"""
#: Their names.
REFUSED = frozenset(_NAMES.split())
#: Families of such functions: geometry and map tiles.
FAMILIES = ("bing_tile", "st_")
#: Functions of the table that Athena also has for a type that the table does not give them.
_ARGUMENTS = frozenset({("contains", "ipaddress"), ("from_unixtime_nanos", "decimal")})


def is_refused_by_name(name: str) -> bool:
    """Whether Athena has a function of this name, which the embedded Athena cannot run."""
    return name in REFUSED or name.startswith(FAMILIES)


def is_refused_for(name: str, base: str) -> bool:
    """Whether Athena has a function for arguments of a type that the embedded Athena cannot give it."""
    return (name, base) in _ARGUMENTS
