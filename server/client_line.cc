#include "server/client_line.h"

#include <fmt/format.h>

namespace cistern::server {
namespace {

std::string Flags(const ClientState& client, const ClientCosts& costs) {
  std::string flags;
  if (costs.is_paused) flags += 'b';
  if (costs.is_closing) flags += 'c';
  if (client.address.starts_with("unix:")) flags += 'U';
  if (!client.is_evictable) flags += 'e';
  if (!client.touches) flags += 'T';
  return flags.empty() ? "N" : flags;
}

int64_t SecondsSince(cache::Instant then, cache::Instant now) {
  return std::chrono::duration_cast<std::chrono::seconds>(now - then).count();
}

}  // namespace

std::string ClientLine(const ClientConnection& connection, cache::Instant now) {
  const ClientState& client = connection.state();
  const ClientCosts costs = connection.Costs();
  return fmt::format(
      "id={} addr={} laddr={} fd={} name={} age={} idle={} flags={} db=0 sub=0 psub=0 ssub=0 "
      "multi=-1 watch=0 qbuf={} qbuf-free={} argv-mem={} multi-mem=0 rbs=0 rbp=0 obl=0 oll={} "
      "omem={} tot-mem={} events={} cmd={} user=default redir=-1 resp={} lib-name={} "
      "lib-ver={}\n",
      client.id, client.address, client.local_address, client.fd, client.name,
      SecondsSince(client.connected_at, now), SecondsSince(client.active_at, now),
      Flags(client, costs), costs.input, costs.input_free, costs.waiting, costs.pending_places,
      costs.unsent, costs.total, costs.unsent > 0 ? "rw" : "r",
      client.last_command == nullptr ? "NULL" : client.last_command->name,
      static_cast<int>(client.protocol), client.lib_name, client.lib_version);
}

}  // namespace cistern::server
