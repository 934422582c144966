#include "server/client_connection.h"

#include <algorithm>
#include <cassert>
#include <cstring>

#include "cache/mutant.h"
#include "server/socket_name.h"
#include "server/worker.h"

namespace cistern::server {
namespace {

// An incomplete request up to this size is put in front of the next read in the loop's buffer; a
// larger one gets a buffer of its own, so that it is not copied again and again.
constexpr size_t kJoinBelow = net::Loop::kReadBufferBytes / 2;
// While fairness holds back so much, or the client's fair share, no more is read.
constexpr size_t kMostHeldBack = size_t{128} * 1024;
// What a connection costs beside its buffers: the stream, libuv's handle, empty queues, the
// worker's books. Measured: 10,000 connections raise the resident memory by 33 MB.
constexpr size_t kBaseCharge = sizeof(ClientConnection) + 2560;
// What TLS adds to it while nothing is on its way: 14 KiB were measured.
constexpr size_t kTlsCharge = size_t{16} * 1024;
// Buffers come in all sizes and go soon: the allocator loses part of them. Measured as well.
// (Large ones are mappings of their own, without a loss.)
constexpr size_t kLossPart = 4;
constexpr size_t kLossyBytes = size_t{1} << 20;
// One batch in so many is timed.
constexpr uint64_t kSampleBatches = 64;

// Of a time after `loop` has read, so that no lease is taken to hold that ran out meanwhile.
cache::Instant TimeOfRead(const net::Loop& loop) {
  const cache::Instant now = loop.clock().Now();
  if (!IsMutant(Mutant::kCachedClock)) return now;
  thread_local uint64_t turn = 0;
  thread_local cache::Instant of_this_turn = now, of_the_last = now;
  if (std::exchange(turn, loop.turn()) != loop.turn()) {
    of_the_last = std::exchange(of_this_turn, now);
  }
  return of_the_last;
}

resp::Limits ParserLimits(const ServerConfig& from) {
  resp::Limits limits;
  limits.max_elements = from.max_elements;
  limits.max_bulk_bytes = static_cast<int64_t>(from.max_bulk);
  limits.max_line_bytes = from.max_inline;
  limits.unauthenticated_elements = from.unauthenticated_elements;
  limits.unauthenticated_bulk_bytes = static_cast<int64_t>(from.unauthenticated_bulk);
  return limits;
}

}  // namespace

ClientConnection::ClientConnection(Worker& worker, uint64_t id)
    : worker_(worker),
      stream_(worker.loop(), *this),
      parser_(ParserLimits(worker.config().server)),
      base_charge_(kBaseCharge),
      charge_(worker.cache().store().budget(), cache::ChargeKind::kClients, kBaseCharge) {
  now_ = worker.loop().clock().Now();
  state_.id = id;
  state_.connected_at = state_.active_at = progress_at_ = now_;
  state_.authenticated = worker_.config().server.password.empty();
  was_authenticated_ = state_.authenticated;
  SyncAuthentication();
}

ClientConnection::~ClientConnection() {
  Abandon();
}

net::Result<void> ClientConnection::Adopt(int fd, std::shared_ptr<const net::TlsContext> tls) {
  state_.address = PeerName(fd);
  state_.local_address = LocalName(fd);
  state_.fd = fd;
  KeepAlive(fd);
  LimitUnsent(fd);
  if (tls) base_charge_ += kTlsCharge;
  auto adopted = stream_.Adopt(fd, std::move(tls));
  if (adopted) UpdateCharge();
  return adopted;
}

void ClientConnection::Close() {
  stream_.Close();
  Abandon();
}

void ClientConnection::Drain() {
  worker_.turn_inputs_.TakeNow(*this);
  is_draining_ = true;
  Settle();
}

std::span<char> ClientConnection::ReadBuffer() {
  worker_.turn_inputs_.TakeNow(*this);  // TLS: a second read in one turn
  const std::span<char> shared =
      worker_.loop().read_buffer().first(std::min(net::Loop::kReadBufferBytes, most_held_back()));
  if (rest_.empty()) return shared;
  const size_t wanted = more_ ? 1 : parser_.bytes_wanted();
  joins_in_front_ = !more_ && rest_.size() + wanted <= std::min(kJoinBelow, shared.size());
  if (joins_in_front_) return shared.subspan(rest_.size());
  return rest_.Room(wanted);
}

void ClientConnection::OnData(std::string_view bytes) {
  if (rest_.empty() && worker_.turn_inputs_.Add(*this, bytes)) return;
  TakeInput(bytes);
}

void ClientConnection::TakeInput(std::string_view bytes, RequestBatch* batch) {
  if (stream_.is_closing()) return;
  now_ = TimeOfRead(worker_.loop());
  state_.active_at = now_;
  WorkerStats& stats = worker_.stats_;
  stats.reads.Add();
  stats.input_bytes.Add(bytes.size());
  const size_t places = queue_.places();
  if (!rest_.empty() && !joins_in_front_) {
    rest_.Commit(bytes.size());
    ConsumeRest();
  } else {
    std::string_view input = bytes;
    if (!rest_.empty()) {
      char* front = worker_.loop().read_buffer().data();
      assert(bytes.data() == front + rest_.size());
      std::memcpy(front, rest_.view().data(), rest_.size());
      input = {front, rest_.size() + bytes.size()};
      rest_.Clear();
    }
    const size_t used = Consume(input, batch);
    if (used < input.size()) rest_.Assign(input.substr(used));
  }
  const bool was_all_hits = places == 0 && queue_.empty();
  Settle();
  if (was_all_hits && stats.reads.value() % kSampleBatches == 0) {
    stats.hit_batches.Add(worker_.loop().clock().Now() - now_);
  }
}

void ClientConnection::OnWritable() {
  Settle();
}

// As in Redis and nginx, a client that ends its side is gone: what it has sent is executed, what
// can be answered at once is, what is pending is cancelled.
bool ClientConnection::OnEnd() {
  worker_.turn_inputs_.TakeNow(*this);
  ended_ = true;
  Settle();
  return true;
}

void ClientConnection::OnClosed(const net::CloseReason& reason) {
  if (reason.kind == net::CloseKind::kTlsFailed) worker_.stats_.closed_tls.Add();
  worker_.Remove(*this);
}

void ClientConnection::Continue() {
  now_ = worker_.loop().clock().Now();
  if (more_) ConsumeRest();
  Settle();
}

void ClientConnection::GoOn() {
  if (std::exchange(is_paused_, false)) worker_.ContinueNextTurn(*this);
}

void ClientConnection::FlushFinished() {
  now_ = state_.active_at = worker_.loop().clock().Now();
  Settle();
}

void ClientConnection::CheckTime(cache::Instant now) {
  const ServerConfig& limits = worker_.config().server;
  const size_t queued = stream_.queued_bytes();
  const uint64_t taken = written_ - std::min<uint64_t>(queued, written_);
  if (queued == 0 || taken != taken_) {
    taken_ = taken;
    progress_at_ = now;
  } else if (now - progress_at_ >= limits.stall_timeout) {
    worker_.stats_.closed_output_limit.Add();
    Close();
    return;
  }
  const cache::Duration late = limits.unauthenticated_timeout;
  if (!was_authenticated_ && late > cache::Duration::zero() && now - state_.connected_at >= late) {
    worker_.stats_.closed_unauthenticated.Add();
    Close();
    return;
  }
  const cache::Duration idle = limits.idle_timeout;
  if (idle > cache::Duration::zero() && queue_.empty() && !is_paused_ &&
      now - state_.active_at >= idle) {
    worker_.stats_.closed_idle.Add();
    Close();
  }
}

void ClientConnection::Settle() {
  RunReady();
  if (!queue_.empty()) queue_.MoveFinished(worker_.scratch_);
  Write();
  if (stream_.is_closing()) return;
  if (has_too_much_unread()) {
    worker_.stats_.closed_output_limit.Add();
    Close();
    return;
  }
  DecideReading();
  DecideClosing();
  UpdateCharge();
}

void ClientConnection::Write() {
  Output& output = worker_.scratch_;
  if (!output.empty()) {
    const size_t bytes = output.bytes();
    const size_t text = bytes - output.pinned_bytes();
    written_ += bytes;
    worker_.stats_.output_bytes.Add(bytes);
    output.WriteTo(stream_);
    output.GiveBack(kTurnOutput);
    unsent_text_ += text;
  }
  queued_ = stream_.queued_bytes();
  if (queued_ > 0) return;
  unsent_text_ = 0;
  if (queue_.empty()) largest_reply_ = 0;
}

// Of requests and replies that are not on their way yet.
size_t ClientConnection::held_bytes() const {
  return queue_.reply_bytes() + queue_.overhead_bytes() + waiting_bytes_;
}

size_t ClientConnection::most_held_back() const {
  return std::min(kMostHeldBack, worker_.fair_share());
}

bool ClientConnection::is_blocked() const {
  return queued_ + held_bytes() > worker_.high_water();
}

// One reply may be as large as it is, else a large value could not be answered at all.
bool ClientConnection::has_too_much_unread() const {
  const ServerConfig& limits = worker_.config().server;
  if (!was_authenticated_) return queued_ > limits.unauthenticated_output;
  return queued_ + queue_.reply_bytes() > limits.output_limit + largest_reply_;
}

// Pausing costs system calls: it is for clients that are really to wait.
void ClientConnection::DecideReading() {
  const bool blocked = is_blocked();
  if (more_ && !is_paused_ && !blocked && !close_after_reply_) worker_.ContinueNextTurn(*this);
  const bool has_enough = more_ && (rest_.size() >= most_held_back() || worker_.is_busy());
  const bool pauses = blocked || is_draining_ || close_after_reply_ || has_enough;
  if (pauses) {
    stream_.PauseReading();
  } else {
    stream_.ResumeReading();
  }
}

void ClientConnection::DecideClosing() {
  if (ended_ && (!more_ || is_paused_ || close_after_reply_)) {
    Abandon();
    stream_.CloseWhenWritten();
  } else if (queue_.empty() && (close_after_reply_ || (is_draining_ && !more_))) {
    stream_.CloseWhenWritten();
  }
}

void ClientConnection::UpdateCharge() {
  const size_t buffers =
      rest_.touched() + parser_.allocated_bytes() + held_bytes() + std::min(queued_, unsent_text_);
  const size_t bytes = base_charge_ + buffers + std::min(buffers, kLossyBytes) / kLossPart;
  const bool grows = bytes > charge_.bytes();
  if (bytes != charge_.bytes()) charge_.Resize(bytes);
  if (grows || queued_ > 0) worker_.HasRoom();
  if (!was_authenticated_) worker_.ChargeUnauthenticated(*this, bytes);
}

ClientCosts ClientConnection::Costs() const {
  const size_t unsent = stream_.queued_bytes() + queue_.reply_bytes();
  return {.input = rest_.size(),
          .input_free = rest_.capacity() - rest_.size(),
          .waiting = waiting_bytes_,
          .unsent = unsent,
          .pending_places = queue_.places(),
          .total = charge_.bytes() + unsent - std::min(unsent, unsent_text_),
          .is_paused = is_paused_,
          .is_closing = close_after_reply_};
}

void ClientConnection::Abandon() {
  ready_.clear();
  waiting_bytes_ = 0;
  queue_.Abandon();
}

}  // namespace cistern::server
