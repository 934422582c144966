// What the admin port answers, apart from HTTP's transport.
#pragma once

#include <string>
#include <string_view>

#include "server/admin/admin_server.h"

namespace cistern::server {

struct AdminReply {
  unsigned status = 200;
  std::string_view content_type;  // static
  std::string body;
};

// The reply to GET and HEAD of a path (without query), or to any other method.
AdminReply AnswerAdmin(std::string_view method, std::string_view path,
                       const AdminServer::Sources& sources);

}  // namespace cistern::server
