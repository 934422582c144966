#include "cluster/wire_values.h"

#include <algorithm>

namespace cistern::cluster {
namespace {

using cache::ErrorCode;

// Spans are whole microseconds on the wire. 0 means "none", so what is left of a life is at
// least 1.
uint64_t ToMicros(cache::Duration span) {
  if (span <= cache::Duration(0)) return 0;
  return static_cast<uint64_t>(std::max<int64_t>(span.count() / 1000, 1));
}

cache::Duration FromMicros(uint64_t micros) {
  constexpr uint64_t kMost = uint64_t{1} << 53;  // 285 years; its nanoseconds still fit
  return std::chrono::microseconds(std::min(micros, kMost));
}

wire::ErrorCode CodeToWire(ErrorCode code) {
  switch (code) {
    case ErrorCode::kBackend:
      return wire::ERROR_BACKEND;
    case ErrorCode::kOverload:
      return wire::ERROR_OVERLOAD;
    case ErrorCode::kPeer:
    case ErrorCode::kPeerLost:
      return wire::ERROR_PEER;
    case ErrorCode::kNotOwner:
      return wire::ERROR_NOT_OWNER;
    case ErrorCode::kNoGroup:
      return wire::ERROR_NO_GROUP;
    case ErrorCode::kNoWrite:
      return wire::ERROR_NO_WRITE;
    case ErrorCode::kTooLarge:
      return wire::ERROR_TOO_LARGE;
    case ErrorCode::kTimeout:
      return wire::ERROR_TIMEOUT;
    case ErrorCode::kShutdown:
      return wire::ERROR_SHUTDOWN;
  }
  return wire::ERROR_UNSPECIFIED;
}

ErrorCode CodeFromWire(wire::ErrorCode code) {
  switch (code) {
    case wire::ERROR_BACKEND:
      return ErrorCode::kBackend;
    case wire::ERROR_OVERLOAD:
      return ErrorCode::kOverload;
    case wire::ERROR_NOT_OWNER:
      return ErrorCode::kNotOwner;
    case wire::ERROR_NO_GROUP:
      return ErrorCode::kNoGroup;
    case wire::ERROR_NO_WRITE:
      return ErrorCode::kNoWrite;
    case wire::ERROR_TOO_LARGE:
      return ErrorCode::kTooLarge;
    case wire::ERROR_TIMEOUT:
      return ErrorCode::kTimeout;
    case wire::ERROR_SHUTDOWN:
      return ErrorCode::kShutdown;
    default:
      return ErrorCode::kPeer;
  }
}

wire::Source SourceToWire(cache::Source source) {
  switch (source) {
    case cache::Source::kMain:
      return wire::SOURCE_MAIN;
    case cache::Source::kLoaded:
      return wire::SOURCE_LOADED;
    case cache::Source::kJoined:
      return wire::SOURCE_JOINED;
    case cache::Source::kNotOwner:
      return wire::SOURCE_NOT_OWNER;
  }
  return wire::SOURCE_MAIN;
}

cache::Source SourceFromWire(wire::Source source) {
  switch (source) {
    case wire::SOURCE_LOADED:
      return cache::Source::kLoaded;
    case wire::SOURCE_JOINED:
      return cache::Source::kJoined;
    case wire::SOURCE_NOT_OWNER:
      return cache::Source::kNotOwner;
    default:
      return cache::Source::kMain;
  }
}

// Copies what is small into `field`; what is large is returned, to leave in chunks.
cache::BlobPtr Put(const cache::BlobPtr& blob, std::string* field) {
  if (blob->bytes().size() > kChunkBytes) return blob;
  field->assign(blob->bytes());
  return nullptr;
}

}  // namespace

std::string* LargeFieldOf(wire::Frame& frame, uint32_t index) {
  switch (frame.body_case()) {
    case wire::Frame::kGetReply: {
      auto& items = *frame.mutable_get_reply()->mutable_items();
      const int at = static_cast<int>(index);
      return at >= 0 && at < items.size() ? items[at].mutable_value() : nullptr;
    }
    case wire::Frame::kCommand: {
      auto& args = *frame.mutable_command()->mutable_args();
      const int at = static_cast<int>(index);
      return at >= 0 && at < args.size() ? &args[at] : nullptr;
    }
    case wire::Frame::kCommandReply:
      return frame.mutable_command_reply()->mutable_bulk();
    default:
      return nullptr;
  }
}

std::string TextOf(const wire::Refusal& refusal) {
  constexpr size_t kShownBytes = 512;
  std::string text = refusal.text().substr(0, kShownBytes);
  for (char& c : text) {
    if (c < ' ' || c > '~') c = '.';
  }
  return text;
}

void ToWire(const cache::PurgeScope& scope, cache::PurgeRound round, wire::Invalidate& message) {
  message.set_cause(wire::CAUSE_FLUSH);
  message.set_role(round == cache::PurgeRound::kMain ? wire::ROLE_AT_OWNER : wire::ROLE_COPIES);
  message.set_round(round == cache::PurgeRound::kMain ? 1 : 2);
  switch (scope.kind) {
    case cache::PurgeScope::Kind::kAll:
      return message.set_selector(wire::SELECTOR_ALL);
    case cache::PurgeScope::Kind::kGroup:
      message.set_group(scope.name);
      return message.set_selector(wire::SELECTOR_GROUP);
    case cache::PurgeScope::Kind::kPrefix:
      message.set_prefix(scope.name);
      return message.set_selector(wire::SELECTOR_PREFIX);
  }
}

std::optional<cache::PurgeScope> ScopeFromWire(wire::Invalidate& message) {
  using Kind = cache::PurgeScope::Kind;
  switch (message.selector()) {
    case wire::SELECTOR_ALL:
      return cache::PurgeScope{Kind::kAll, {}};
    case wire::SELECTOR_GROUP:
      return cache::PurgeScope{Kind::kGroup, std::move(*message.mutable_group())};
    case wire::SELECTOR_PREFIX:
      return cache::PurgeScope{Kind::kPrefix, std::move(*message.mutable_prefix())};
    default:
      return std::nullopt;
  }
}

wire::Error ToWire(const cache::Error& error) {
  wire::Error message;
  message.set_code(CodeToWire(error.code));
  message.set_text(error.text);
  return message;
}

cache::Error FromWire(const wire::Error& error) {
  return {CodeFromWire(error.code()), error.text()};
}

GetResultView ToWire(const cache::PeerReply& reply) {
  GetResultView item;
  item.outcome = reply.is_found() ? wire::OUTCOME_FOUND : wire::OUTCOME_NOT_FOUND;
  if (reply.is_found()) item.value = reply.bytes();
  item.ttl_us = ToMicros(reply.ttl);
  item.lease_us = ToMicros(reply.lease);
  item.sequence = reply.sequence;
  item.version = reply.loaded.version;
  item.source = SourceToWire(reply.source);
  return item;
}

GetResultView ToWire(const cache::Result<cache::PeerReply>& reply) {
  if (reply) return ToWire(*reply);
  GetResultView item;
  item.outcome = wire::OUTCOME_ERROR;
  item.error = CodeToWire(reply.error().code);
  item.error_text = reply.error().text;
  return item;
}

wire::GetResult WithoutValue(const GetResultView& item) {
  wire::GetResult message;
  message.set_index(item.index);
  message.set_outcome(item.outcome);
  message.set_ttl_us(item.ttl_us);
  message.set_lease_us(item.lease_us);
  message.set_sequence(item.sequence);
  message.set_version(std::string(item.version));
  message.set_source(item.source);
  return message;
}

cache::Result<cache::PeerReply> FromWire(const GetResultView& item, std::string_view node) {
  if (item.outcome == wire::OUTCOME_ERROR)
    return tl::unexpected(cache::Error{CodeFromWire(item.error), std::string(item.error_text)});
  cache::PeerReply reply;
  if (item.outcome == wire::OUTCOME_FOUND && item.type == wire::VALUE_STRING) {
    if (item.value.size() <= cache::PeerReply::kMostLent) {
      reply.lent = item.value;
    } else {
      // The one copy of a larger value: replies write it from where it lies then.
      reply.loaded.value = cache::MakeBlob(item.value);
    }
  } else if (item.outcome != wire::OUTCOME_NOT_FOUND) {
    return tl::unexpected(NotUnderstood(node));
  }
  reply.loaded.version = item.version;
  reply.ttl = FromMicros(item.ttl_us);
  reply.lease = FromMicros(item.lease_us);
  reply.sequence = item.sequence;
  reply.source = SourceFromWire(item.source);
  return reply;
}

cache::BlobPtr ToWire(const cache::Result<CommandReply>& reply, wire::CommandReply& message) {
  if (!reply) {
    *message.mutable_failure() = ToWire(reply.error());
    return nullptr;
  }
  const auto& value = reply->value;
  if (const auto* status = std::get_if<CommandReply::Status>(&value)) {
    message.set_status(status->text);
  } else if (const auto* error = std::get_if<CommandReply::Error>(&value)) {
    message.set_error(error->text);
  } else if (const auto* integer = std::get_if<int64_t>(&value)) {
    message.set_integer(*integer);
  } else if (const auto* bulk = std::get_if<cache::BlobPtr>(&value)) {
    return Put(*bulk, message.mutable_bulk());
  } else {
    message.set_null(true);
  }
  return nullptr;
}

cache::Result<CommandReply> FromWire(wire::CommandReply& message, std::string_view node) {
  switch (message.reply_case()) {
    case wire::CommandReply::kStatus:
      return CommandReply{CommandReply::Status{message.status()}};
    case wire::CommandReply::kError:
      return CommandReply{CommandReply::Error{message.error()}};
    case wire::CommandReply::kInteger:
      return CommandReply{message.integer()};
    case wire::CommandReply::kBulk:
      return CommandReply{cache::MakeBlob(message.bulk())};
    case wire::CommandReply::kNull:
      return CommandReply{CommandReply::Null{}};
    case wire::CommandReply::kFailure:
      return tl::unexpected(FromWire(message.failure()));
    case wire::CommandReply::REPLY_NOT_SET:
      break;
  }
  return tl::unexpected(NotUnderstood(node));
}

cache::Error NotUnderstood(std::string_view node) {
  return {ErrorCode::kPeer, "owner " + std::string(node) + " and this node do not understand " +
                                "each other's versions"};
}

}  // namespace cistern::cluster
