#include "resp/protocol_error.h"

namespace cistern::resp {
namespace {

const char* Words(ProtocolError::Kind kind) {
  using Kind = ProtocolError::Kind;
  switch (kind) {
    case Kind::kNone:
      return "none";
    case Kind::kMultibulkLength:
      return "invalid multibulk length";
    case Kind::kBulkLength:
      return "invalid bulk length";
    case Kind::kExpectedDollar:
      return "expected '$', got '";
    case Kind::kUnbalancedQuotes:
      return "unbalanced quotes in request";
    case Kind::kMultibulkLineTooLong:
      return "too big mbulk count string";
    case Kind::kBulkLineTooLong:
      return "too big bulk count string";
    case Kind::kInlineTooLong:
      return "too big inline request";
    case Kind::kUnauthenticatedMultibulkLength:
      return "unauthenticated multibulk length";
    case Kind::kUnauthenticatedBulkLength:
      return "unauthenticated bulk length";
  }
  return "";
}

}  // namespace

std::string ProtocolError::Text() const {
  std::string text = "Protocol error: ";
  text += Words(kind);
  if (kind == Kind::kExpectedDollar) {
    text += got;
    text += '\'';
  }
  return text;
}

}  // namespace cistern::resp
