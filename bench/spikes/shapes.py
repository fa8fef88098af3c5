"""Envoy resources for the spikes, as the JSON that bench/floor reads. Direct responses, so that no backend is measured."""
import json

ADS = {"ads": {}, "resource_api_version": "V3", "initial_fetch_timeout": "0s"}
TYPES = {"cluster": "envoy.config.cluster.v3.Cluster", "endpoints": "envoy.config.endpoint.v3.ClusterLoadAssignment",
         "listener": "envoy.config.listener.v3.Listener", "routes": "envoy.config.route.v3.RouteConfiguration",
         "scope": "envoy.config.route.v3.ScopedRouteConfiguration"}
EXTENSION = "type.googleapis.com/envoy.extensions."


def typed(kind, body):
    return {"@type": "type.googleapis.com/" + TYPES[kind], **body}


def write(path, resources):
    path.write_text(json.dumps(resources))
    return path


def listener(port, routing, filters=(), **manager):
    """`routing`: the HTTP connection manager's rds or scoped_routes."""
    router = {"name": "envoy.filters.http.router", "typed_config": {"@type": EXTENSION + "filters.http.router.v3.Router"}}
    config = {"@type": EXTENSION + "filters.network.http_connection_manager.v3.HttpConnectionManager", "stat_prefix": "bench",
              "http_filters": [*filters, router], **routing, **manager}
    return typed("listener", {
        "name": "bench", "address": {"socket_address": {"address": "127.0.0.1", "port_value": port}},
        "filter_chains": [{"filters": [{"name": "envoy.filters.network.http_connection_manager", "typed_config": config}]}]})


def rds(name="routes"):
    return {"rds": {"route_config_name": name, "config_source": ADS}}


def direct(prefix, version="old"):
    return {"match": {"prefix": prefix}, "direct_response": {"status": 200, "body": {"inline_string": version}}}


def virtual_host(domain, routes, **more):
    return {"name": domain, "domains": [domain], "routes": routes, **more}


def route_configuration(virtual_hosts, name="routes", **more):
    return typed("routes", {"name": name, "virtual_hosts": virtual_hosts, **more})


def eds_cluster(name):
    return [typed("cluster", {"name": name, "type": "EDS", "connect_timeout": "3s", "eds_cluster_config": {"eds_config": ADS}}),
            typed("endpoints", {"cluster_name": name, "endpoints": [{"lb_endpoints": [{"endpoint": {"address": {
                "socket_address": {"address": "127.0.0.1", "port_value": 9080}}}}]}]})]


def answering(port, admin_port):
    """Bootstrap of an Envoy that answers every request by itself: a backend that is no bottleneck."""
    routes = {"route_config": {"virtual_hosts": [virtual_host("*", [direct("/")])]}}
    static = {key: value for key, value in listener(port, routes).items() if key != "@type"}
    return {"admin": {"address": {"socket_address": {"address": "127.0.0.1", "port_value": admin_port}}},
            "static_resources": {"listeners": [static]}}
