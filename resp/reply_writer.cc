#include "resp/reply_writer.h"

#include <charconv>
#include <cmath>
#include <cstring>

namespace cistern::resp {
namespace {

constexpr std::string_view kLineEnd = "\r\n";
constexpr size_t kNumberSize = 20;                    // a sign and 19 digits, or 20 digits
constexpr size_t kHeaderSize = 1 + kNumberSize + 2;   // type, number, line end
constexpr size_t kSmallBulk = 256 - kHeaderSize - 2;  // copied through the stack: one append

// Writes "<type><value>\r\n" to `at`, which has kHeaderSize bytes, and returns its end.
template <class Value>
char* PutNumber(char* at, char type, Value value) {
  *at++ = type;
  if (value >= 10 && value < 100) {  // as most values' lengths are
    *at++ = static_cast<char>('0' + value / 10);
    *at++ = static_cast<char>('0' + value % 10);
  } else {
    at = std::to_chars(at, at + kNumberSize, value).ptr;
  }
  std::memcpy(at, kLineEnd.data(), kLineEnd.size());
  return at + kLineEnd.size();
}

// (Between two pointers std::string takes a longer way.)
void Append(std::string& output, const char* begin, const char* end) {
  output.append(begin, static_cast<size_t>(end - begin));
}

// Redis writes no sign before nan; otherwise the shortest text that reads back as the same double.
std::string_view DoubleText(double value, char (&buffer)[32]) {
  if (std::isnan(value)) return "nan";
  const char* end = std::to_chars(buffer, buffer + sizeof buffer, value).ptr;
  return {buffer, static_cast<size_t>(end - buffer)};
}

}  // namespace

void ReplyWriter::SimpleString(std::string_view text) {
  Line('+', text);
}

void ReplyWriter::Error(std::string_view text) {
  Line('-', text);
}

void ReplyWriter::Integer(int64_t value) {
  char buffer[kHeaderSize];
  Append(*output_, buffer, PutNumber(buffer, ':', value));
}

void ReplyWriter::Bulk(std::string_view bytes) {
  if (bytes.size() > kSmallBulk) {
    BulkHeader(bytes.size());
    output_->append(bytes);
    BulkTail();
    return;
  }
  char buffer[256];
  char* at = PutNumber(buffer, '$', bytes.size());
  if (!bytes.empty()) std::memcpy(at, bytes.data(), bytes.size());
  at += bytes.size();
  std::memcpy(at, kLineEnd.data(), kLineEnd.size());
  Append(*output_, buffer, at + kLineEnd.size());
}

void ReplyWriter::Null() {
  output_->append(protocol_ == Protocol::kResp3 ? "_\r\n" : "$-1\r\n");
}

void ReplyWriter::NullArray() {
  output_->append(protocol_ == Protocol::kResp3 ? "_\r\n" : "*-1\r\n");
}

void ReplyWriter::Double(double value) {
  char buffer[32];
  const std::string_view text = DoubleText(value, buffer);
  if (protocol_ == Protocol::kResp2) return Bulk(text);
  Line(',', text);
}

void ReplyWriter::Boolean(bool value) {
  if (protocol_ == Protocol::kResp2) return Integer(value ? 1 : 0);
  output_->append(value ? "#t\r\n" : "#f\r\n");
}

void ReplyWriter::BigNumber(std::string_view digits) {
  if (protocol_ == Protocol::kResp2) return Bulk(digits);
  Line('(', digits);
}

void ReplyWriter::Verbatim(std::string_view kind, std::string_view text) {
  if (protocol_ == Protocol::kResp2) return Bulk(text);
  Number('=', kind.size() + 1 + text.size());
  output_->append(kind).append(1, ':').append(text).append(kLineEnd);
}

void ReplyWriter::BulkHeader(uint64_t size) {
  Number('$', size);
}

void ReplyWriter::BulkTail() {
  output_->append(kLineEnd);
}

void ReplyWriter::Array(uint64_t elements) {
  Number('*', elements);
}

void ReplyWriter::Map(uint64_t pairs) {
  if (protocol_ == Protocol::kResp2) return Number('*', pairs * 2);
  Number('%', pairs);
}

void ReplyWriter::Set(uint64_t elements) {
  Number(protocol_ == Protocol::kResp2 ? '*' : '~', elements);
}

void ReplyWriter::Push(uint64_t elements) {
  Number(protocol_ == Protocol::kResp2 ? '*' : '>', elements);
}

// A line that holds a line end would be read as two replies, and every later one as the answer to
// the wrong request.
void ReplyWriter::Line(char type, std::string_view text) {
  *output_ += type;
  const size_t begin = output_->size();
  output_->append(text);
  for (size_t i = begin; i < output_->size(); ++i) {
    char& c = (*output_)[i];
    if (c == '\r' || c == '\n') c = ' ';
  }
  output_->append(kLineEnd);
}

void ReplyWriter::Number(char type, uint64_t value) {
  char buffer[kHeaderSize];
  Append(*output_, buffer, PutNumber(buffer, type, value));
}

}  // namespace cistern::resp
