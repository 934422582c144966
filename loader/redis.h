// RedisOrigin: fills a group from a Redis server: GET, or one MGET for all keys of a loop turn.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "loader/job.h"
#include "net/address.h"
#include "net/loop.h"

namespace cistern::loader {

struct RedisOptions {
  std::string group;
  net::Address address;
  std::string user;      // empty: AUTH with the password alone
  std::string password;  // empty: no AUTH
  int database = 0;
  cache::Duration timeout = std::chrono::milliseconds(500);          // of one load
  cache::Duration connect_timeout = std::chrono::milliseconds(500);  // with AUTH and SELECT
  int connections = 1;                                               // of each worker
  int batch = 128;                                                   // keys in one MGET, at most
  size_t max_reply = size_t{256} << 20;                              // bytes of one reply
};

class RedisLane;

// A nil is not found, an empty string a value, an error reply an error with Redis's text. A key
// that holds no string is an error when it is asked alone (WRONGTYPE), but not found when MGET asks
// for it with others: Redis answers nil there.
//
// Connections are made when the first load needs them. While one is being made, loads wait for it
// within their time. When it fails, they fail with its reason, and later ones at once, until it is
// time to try again (a wait that grows to a second, with jitter; net/breaker.h); the next load then
// tries, and others fail at once until it has been answered or not. A connection that has answered
// and is lost fails the loads that were sent over it; the next load connects at once. A server that
// is only slow is asked all the same.
//
// The server is not trusted to answer what it was asked, nor to come to an end: a connection is
// dropped when a reply exceeds max_reply, holds more elements than keys were asked for, comes
// unasked, or is still not whole a while after the loads it is for have run out of time.
class RedisOrigin final : public cache::Origin {
 public:
  // Loads come from these loops, whose index is their place here. They outlive this, and run until
  // Shutdown() was called.
  RedisOrigin(RedisOptions options, const std::vector<net::Loop*>& loops);
  RedisOrigin(const RedisOrigin&) = delete;
  RedisOrigin& operator=(const RedisOrigin&) = delete;
  ~RedisOrigin() override;

  void Load(cache::Executor& executor, std::string_view key, LoadDone done) override;
  // Posts to the loops, which then answer and close.
  void Shutdown() override;

 private:
  struct Place {
    net::Loop* loop;
    std::shared_ptr<RedisLane> lane;  // used on the loop's thread; the posted shutdown owns it too
  };
  std::vector<Place> places_;
};

}  // namespace cistern::loader
