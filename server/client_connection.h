// ClientConnection: one client: its bytes become requests, they are executed, and their replies
// leave in order.
#pragma once

#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "cache/budget.h"
#include "net/stream.h"
#include "resp/request_parser.h"
#include "server/call.h"
#include "server/input_buffer.h"
#include "server/reply_queue.h"
#include "server/request_batch.h"

namespace cistern::server {

// Belongs to its worker and the worker's thread. Every event (bytes came, replies finished, the
// socket took what was queued, another turn) ends in Settle(), which writes and decides how the
// connection goes on. The bytes and their limits are in client_connection.cc, the execution of
// requests in client_requests.cc.
class ClientConnection final : public net::StreamDelegate, private PendingReply::Owner {
 public:
  ClientConnection(Worker& worker, uint64_t id);
  // Nothing is called after it; what is pending is abandoned.
  ~ClientConnection() override;

  // Takes over the socket, also when it fails; `tls` as in net::Stream.
  net::Result<void> Adopt(int fd, std::shared_ptr<const net::TlsContext> tls);
  // Cancels what is pending. The worker forgets the connection later.
  void Close();
  // Reads no more; closes when everything received is answered.
  void Drain();

  // What CLIENT PAUSE held back runs now.
  void GoOn();

  // The worker's calls.
  // What will be taken is parsed ahead. REQUIRES: nothing else of it is unparsed.
  void Prepare(std::string_view bytes, RequestBatch& batch);
  // As it came, or a copy of it at the turn's end, for which `batch` is prepared.
  void TakeInput(std::string_view bytes, RequestBatch* batch = nullptr);
  bool has_turn_input() const { return has_turn_input_; }
  void set_has_turn_input(bool has) { has_turn_input_ = has; }
  void Continue();       // another turn for what fairness held back
  void FlushFinished();  // the end of a turn in which replies finished
  void CheckTime(cache::Instant now);

  const ClientState& state() const { return state_; }
  ClientCosts Costs() const;

  // Of one connection in one turn; the rest continues in the next.
  static constexpr size_t kTurnCommands = 512;
  static constexpr size_t kTurnOutput = size_t{256} * 1024;
  // Reading pauses above so much that is not read, or half the output_limit, or the client's fair
  // share of memory if that is less.
  static constexpr size_t kHighWater = 1 << 20;

 private:
  friend class Call;

  std::span<char> ReadBuffer() override;
  void OnData(std::string_view bytes) override;
  void OnWritable() override;
  bool OnEnd() override;
  void OnClosed(const net::CloseReason& reason) override;
  void OnFinished(PendingReply& reply) override;

  void ConsumeRest();
  size_t Consume(std::string_view input, RequestBatch* prepared = nullptr);
  size_t ExecuteBatch(const RequestBatch& batch);
  size_t AnswerHits(const RequestBatch& batch, std::span<const Request> requests);
  bool MayRun() const;
  bool MustPause(const Request& request);
  size_t held_bytes() const;
  size_t most_held_back() const;

  void Execute(const RequestBatch& batch, const Request& request);
  bool Refuse(const Request& request, std::span<const std::string_view> args,
              std::span<const cache::Key> keys, Reply& reply) const;
  void DropUnwanted(Output& output, const Output::Mark& start, bool is_pending);
  void Begin(const RequestBatch& batch, const Request& request, Output& output);
  PendingReplyPtr Pend(Call& call);
  PendingReplyPtr TakePlace(const Command& command, std::span<const cache::Key> keys,
                            resp::Protocol protocol);
  void RunReady();
  void RunWaiting(PendingReply& reply);
  void FailProtocol();
  void SyncAuthentication();

  void Settle();
  void Write();
  bool is_blocked() const;
  bool has_too_much_unread() const;
  void DecideReading();
  void DecideClosing();
  void UpdateCharge();
  void Abandon();

  Worker& worker_;
  net::Stream stream_;
  ClientState state_;
  resp::RequestParser parser_;
  InputBuffer rest_;
  ReplyQueue queue_;
  KeyOrder order_;
  std::vector<KeyOrder::Ticket*> ready_;  // waited, and may run now
  size_t waiting_bytes_ = 0;              // copied arguments
  cache::Instant now_;

  uint64_t turn_ = UINT64_MAX;  // that the next two count
  size_t turn_allowance_ = 0;
  size_t turn_commands_ = 0;
  size_t turn_output_ = 0;
  size_t queued_ = 0;         // in the stream, before this event's replies
  size_t largest_reply_ = 0;  // since the client had read everything
  size_t unsent_text_ = 0;    // at most so much of what is queued is a copy
  size_t base_charge_;        // of the connection itself
  cache::Charge charge_;

  uint64_t written_ = 0;  // ever, to the stream
  uint64_t taken_ = 0;    // of it by the kernel, when progress was last seen
  cache::Instant progress_at_;

  bool joins_in_front_ = false;  // the read goes behind a place for rest_ in the loop's buffer
  bool more_ = false;            // rest_ may hold whole requests
  bool is_paused_ = false;       // ... of which CLIENT PAUSE holds the first back
  bool was_authenticated_ = false;
  bool close_after_reply_ = false;
  bool ended_ = false;  // the client sends no more
  bool is_draining_ = false;

  friend class Worker;
  bool in_continue_list_ = false;  // the worker's
  bool in_flush_list_ = false;     // the worker's
  bool has_turn_input_ = false;    // TurnInputs'
};

}  // namespace cistern::server
