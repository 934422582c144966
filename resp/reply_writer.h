// ReplyWriter: appends replies to a client's output, in the protocol it asked for.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace cistern::resp {

enum class Protocol : uint8_t { kResp2 = 2, kResp3 = 3 };

// Cheap to make: two words, made for a batch and thrown away. The output belongs to the caller, who
// uses it from one thread and may append to it by itself between calls. Every value may hold any
// bytes. What RESP2 does not know is written as Redis writes it there.
class ReplyWriter {
 public:
  ReplyWriter(std::string& output, Protocol protocol) : output_(&output), protocol_(protocol) {}

  Protocol protocol() const { return protocol_; }
  void set_protocol(Protocol protocol) { protocol_ = protocol; }
  std::string& output() { return *output_; }

  void SimpleString(std::string_view text);  // a line: \r and \n become spaces
  void Error(std::string_view text);         // likewise; begins with its code: "ERR syntax error"
  void Integer(int64_t value);
  void Bulk(std::string_view bytes);
  void Null();       // no value
  void NullArray();  // no array: differs from Null() in RESP2 only
  void Double(double value);
  void Boolean(bool value);                 // RESP2: the integer 1 or 0
  void BigNumber(std::string_view digits);  // an optional '-' and digits; RESP2: a bulk
  // Text of a kind, three bytes: "txt" or "mkd". RESP2: a bulk of the text alone.
  void Verbatim(std::string_view kind, std::string_view text);

  // A bulk whose bytes are written from elsewhere: BulkHeader(size), `size` bytes, BulkTail().
  void BulkHeader(uint64_t size);
  void BulkTail();

  // Headers. That many elements follow, each a reply; of a map that many pairs, key before value.
  void Array(uint64_t elements);
  void Map(uint64_t pairs);      // RESP2: an array of both
  void Set(uint64_t elements);   // RESP2: an array
  void Push(uint64_t elements);  // out of turn, RESP3 only between replies; RESP2: an array

 private:
  void Line(char type, std::string_view text);
  void Number(char type, uint64_t value);

  std::string* output_;
  Protocol protocol_;
};

}  // namespace cistern::resp
