#include "settings/engine_options.h"

namespace emissary::settings {

engine::Options engineOptions(const Settings& settings) {
  engine::Options options;
  options.ambassador_id = settings.ambassador_id;
  options.ns = settings.ns;
  options.single_namespace = settings.single_namespace;
  options.secrets_single_namespace = settings.secrets_single_namespace;
  options.bind_address = settings.bind_address;
  options.route_list_limit = settings.route_list_limit;
  options.strict_labels = settings.strict_labels;
  options.forbidden_upstreams = ownAddresses(settings);
  options.load_balancers = settings.load_balancers;
  Address administration = settings.admin;
  if (administration.host == "0.0.0.0") administration.host = "127.0.0.1";
  if (administration.host == "::") administration.host = "::1";
  options.administration = administration.text();
  return options;
}

}  // namespace emissary::settings
