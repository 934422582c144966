#include "server/replies.h"

namespace cistern::server {
namespace {

using cluster::CommandReply;

struct Write {
  Reply& reply;

  void operator()(const CommandReply::Null&) const { reply.Null(); }
  void operator()(const CommandReply::Status& status) const { reply.SimpleString(status.text); }
  void operator()(const CommandReply::Error& error) const { reply.Error(error.text); }
  void operator()(int64_t number) const { reply.Integer(number); }
  void operator()(const cache::BlobPtr& bulk) const { reply.Bulk(*bulk); }
};

}  // namespace

void WriteOwnersReply(Reply& reply, const cache::Result<CommandReply>& result) {
  if (!result) return WriteError(reply, result.error());
  std::visit(Write{reply}, result->value);
}

}  // namespace cistern::server
