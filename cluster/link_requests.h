// LinkRequests: what one link has been asked to carry, from the asking to the answer. Knows frames,
// no socket.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <unordered_map>
#include <variant>
#include <vector>

#include "cache/peer_picker.h"
#include "cluster/command_runner.h"
#include "cluster/get_codec.h"
#include "cluster/wire_values.h"

namespace cistern::cluster {

// One link's, on its loop's thread. Everything is first unsent, then sent, and answered once:
// by a reply, by RefuseUnsent, or by LoseSent. Callees may ask for more while they are answered.
class LinkRequests {
 public:
  using Done = cache::CompletionPtr<cache::Result<int64_t>>;
  // Who has run the round.
  using PurgeDone = cache::CompletionPtr<cache::Result<cache::Incarnation>>;
  using CommandDone = cache::CompletionPtr<cache::Result<CommandReply>>;
  // The connection that frames are given to.
  class Connection {
   public:
    virtual ~Connection() = default;
    virtual void Send(wire::Frame frame, const std::vector<LargeField>& large) = 0;
    // Gets of one turn: calls write(out, epoch), which appends whole frames of that epoch to what
    // leaves next, as many as it returns.
    using WriteFrames = std::function<uint64_t(std::string& out, uint64_t epoch)>;
    virtual void SendWritten(const WriteFrames& write) = 0;
  };

  // `node`: who is asked, for texts. Commands are charged to `budget` until they are sent.
  LinkRequests(std::string node, cache::Budget& budget) : node_(std::move(node)), budget_(budget) {}

  void Add(std::shared_ptr<cache::PeerFetch> fetch);
  void Add(cache::Incarnation incarnation, cache::Notice notice, cache::CompletionPtr<bool> done);
  void Add(std::vector<std::string> keys, Done done);
  void Add(cache::PurgeScope scope, cache::PurgeRound round, PurgeDone done);
  void Add(uint64_t operation, std::vector<std::string> args, CommandDone done);

  bool has_unsent() const { return !fetches_.empty() || !unsent_.empty(); }
  size_t sent() const { return sent_.size(); }

  // Sends all that is unsent and still waited for: gets in as few frames as keys allow.
  // `incarnation`: of the node at the other end; notices to another one are answered with false.
  void SendAll(cache::Instant now, cache::Incarnation incarnation, Connection& to);
  // Takes an answer. False: it does not answer what its id stands for.
  bool OnAnswer(wire::Frame& frame);
  // The same of gets, whose views are valid during the call.
  bool OnGetReply(uint64_t id, std::span<const GetResultView> results);
  // The connection broke: each kind gets its own answer for "sent, and nothing heard".
  void LoseSent();
  // The node cannot be asked.
  void RefuseUnsent(const cache::Error& error);
  // Gets whose time is over are answered; their replies, should they come, are dropped.
  void TimeOut(cache::Instant now);

 private:
  struct SentFetch {
    std::shared_ptr<cache::PeerFetch> fetch;  // null: answered
    cache::Instant sent;
  };
  using Answered = std::vector<std::pair<std::shared_ptr<cache::PeerFetch>, const GetResultView*>>;
  struct Gets {
    std::vector<SentFetch> items;  // as in the frame
    size_t answered = 0;
  };
  struct Notice {
    cache::Incarnation incarnation;
    cache::Notice notice;
    cache::CompletionPtr<bool> done;
  };
  // One invalidation may be too long for one frame: its parts are counted together.
  struct Sum {
    Done done;
    int64_t count = 0;
    size_t frames_left = 0;
  };
  struct Invalidation {
    std::vector<std::string> keys;
    Done done;
  };
  struct Purge {
    cache::PurgeScope scope;
    cache::PurgeRound round;
    PurgeDone done;
  };
  struct SentPurge {
    cache::Incarnation incarnation;
    PurgeDone done;
  };
  struct Command {
    uint64_t operation;
    std::vector<std::string> args;
    CommandDone done;
    cache::Charge charge;
  };
  using Unsent = std::variant<Notice, Invalidation, Purge, Command>;
  using Sent =
      std::variant<Gets, cache::CompletionPtr<bool>, std::shared_ptr<Sum>, SentPurge, CommandDone>;

  void SendOne(Notice& notice, cache::Incarnation incarnation, Connection& to);
  void SendOne(Invalidation& invalidation, Connection& to);
  void SendOne(Purge& purge, cache::Incarnation incarnation, Connection& to);
  void SendOne(Command& command, Connection& to);
  uint64_t Remember(Sent sent);
  void Forget(std::unordered_map<uint64_t, Sent>::iterator gets);

  uint64_t WriteGets(cache::Instant now, uint64_t epoch, std::string& out);
  bool OnGetReply(wire::Frame& frame);
  void Lose(Sent& sent, bool understood);

  const std::string node_;
  cache::Budget& budget_;
  std::vector<std::shared_ptr<cache::PeerFetch>> fetches_;  // unsent
  // Memory of what was in use last, for the next.
  std::vector<std::shared_ptr<cache::PeerFetch>> spare_fetches_;
  std::vector<SentFetch> spare_items_;
  Answered spare_answered_;
  std::vector<Unsent> unsent_;
  std::unordered_map<uint64_t, Sent> sent_;  // by frame id
  uint64_t last_id_ = 0;
};

}  // namespace cistern::cluster
