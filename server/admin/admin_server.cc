#include "server/admin/admin_server.h"

#include <microhttpd.h>
#include <netdb.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "server/admin/admin_page.h"

namespace cistern::server {
namespace {

// Scrapers come one at a time; more than these are kept out of the node's open files.
constexpr unsigned kMostConnections = 64;
constexpr unsigned kIdleSeconds = 30;
constexpr int kBacklog = 64;

tl::unexpected<std::string> Failed(const net::Address& address, const std::string& reason) {
  return tl::unexpected(address.ToString() + ": " + reason);
}

// Binds and listens; the descriptor is the caller's.
net::Result<int> Listen(const net::Address& address) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
  addrinfo* found = nullptr;
  const int status =
      getaddrinfo(address.host.c_str(), std::to_string(address.port).c_str(), &hints, &found);
  if (status != 0) return Failed(address, gai_strerror(status));
  const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> owner(found, &freeaddrinfo);

  const int fd = socket(found->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  const int on = 1;
  if (fd >= 0 && setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0 &&
      bind(fd, found->ai_addr, found->ai_addrlen) == 0 && listen(fd, kBacklog) == 0) {
    return fd;
  }
  const std::string reason = std::strerror(errno);
  if (fd >= 0) close(fd);
  return Failed(address, reason);
}

uint16_t PortOf(int fd) {
  sockaddr_storage name{};
  socklen_t size = sizeof name;
  if (getsockname(fd, reinterpret_cast<sockaddr*>(&name), &size) != 0) return 0;
  // The port stands at the same place in both families.
  return ntohs(reinterpret_cast<const sockaddr_in*>(&name)->sin_port);
}

// libmicrohttpd copies the body. HEAD gets the headers alone, by its own doing.
MHD_Result Send(MHD_Connection* connection, AdminReply reply) {
  MHD_Response* response =
      MHD_create_response_from_buffer(reply.body.size(), reply.body.data(), MHD_RESPMEM_MUST_COPY);
  if (response == nullptr) return MHD_NO;
  MHD_Result sent = MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE,
                                            std::string(reply.content_type).c_str());
  if (sent == MHD_YES && reply.status == MHD_HTTP_METHOD_NOT_ALLOWED)
    sent = MHD_add_response_header(response, MHD_HTTP_HEADER_ALLOW, "GET, HEAD");
  if (sent == MHD_YES) sent = MHD_queue_response(connection, reply.status, response);
  MHD_destroy_response(response);
  return sent;
}

// Called when a request's head has come (`*seen` is null), for each piece of its body, and at its
// end. libmicrohttpd closes a connection that is answered before the end: as well for methods that
// may have a body, which nobody reads then; GET and HEAD keep theirs.
MHD_Result OnRequest(void* sources, MHD_Connection* connection, const char* path,
                     const char* method, const char*, const char*, size_t* body_bytes,
                     void** seen) {
  const std::string_view name(method);
  const bool has_no_body = name == MHD_HTTP_METHOD_GET || name == MHD_HTTP_METHOD_HEAD;
  if (has_no_body && *seen == nullptr) {
    *seen = sources;  // anything but null
    return MHD_YES;
  }
  if (*body_bytes != 0) {
    *body_bytes = 0;  // a GET with a body: thrown away
    return MHD_YES;
  }
  return Send(connection,
              AnswerAdmin(name, path, *static_cast<const AdminServer::Sources*>(sources)));
}

}  // namespace

AdminServer::AdminServer(Sources sources) : sources_(std::move(sources)) {}

AdminServer::~AdminServer() {
  if (daemon_ != nullptr) MHD_stop_daemon(daemon_);
}

net::Result<std::unique_ptr<AdminServer>> AdminServer::Start(const net::Address& address,
                                                             Sources sources) {
  if (address.kind != net::Address::Kind::kTcp) return Failed(address, "not a TCP address");
  const net::Result<int> fd = Listen(address);
  if (!fd) return tl::unexpected(fd.error());

  std::unique_ptr<AdminServer> server(new AdminServer(std::move(sources)));
  server->port_ = PortOf(*fd);
  server->daemon_ =
      MHD_start_daemon(MHD_USE_AUTO | MHD_USE_INTERNAL_POLLING_THREAD, server->port_, nullptr,
                       nullptr, &OnRequest, const_cast<Sources*>(&server->sources_),
                       MHD_OPTION_LISTEN_SOCKET, *fd, MHD_OPTION_CONNECTION_LIMIT, kMostConnections,
                       MHD_OPTION_CONNECTION_TIMEOUT, kIdleSeconds, MHD_OPTION_END);
  if (server->daemon_ == nullptr) {
    close(*fd);
    return Failed(address, "the HTTP server did not start");
  }
  return server;
}

}  // namespace cistern::server
