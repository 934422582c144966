// What a link carries, over a real socket to a real session.
#include "cluster/peer_link.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/cluster/peer_fixture.h"

namespace cistern::cluster {
namespace {

using cache::ErrorCode;

std::string Numbered(size_t size) {
  std::string bytes(size, '\0');
  for (size_t i = 0; i < size; ++i)
    bytes[i] = static_cast<char>((i * 2654435761u) >> 13);
  return bytes;
}

TEST_F(PeerTest, GetBringsTheValue) {
  Join();
  EXPECT_EQ(asker.Fetch("user:42")->Value(), "value of user:42");
}

TEST_F(PeerTest, RequestSaysWhoAsksWhatAndUntilWhen) {
  Join();
  auto fetch = std::make_shared<FakeFetch>("k", std::chrono::seconds(5));
  fetch->wish_wanted = cache::Wish::kLease;
  asker.Fetch(fetch)->Answer();
  const PeerGetRequest request = server.service.gets.Await(1)[0];
  EXPECT_EQ(request.from, 7u);
  EXPECT_EQ(request.incarnation, 1u);
  EXPECT_EQ(request.epoch, 4711u);
  EXPECT_EQ(request.wish, cache::Wish::kLease);
  const cache::Duration left = request.deadline - cache::SystemClock().Now();
  EXPECT_LE(left, std::chrono::milliseconds(5001));
  EXPECT_GT(left, cache::Duration(0));
}

TEST_F(PeerTest, EverythingOfAReplySurvives) {
  Join();
  server.service.get = [](const PeerGetRequest&, const FakeService::GetDone& done) {
    cache::PeerReply reply = Found(std::string("\0\r\n\xff", 4));
    reply.loaded.version = "v1";
    reply.lease = std::chrono::milliseconds(900);
    reply.ttl = std::chrono::minutes(10);
    reply.sequence = uint64_t{1} << 40;
    reply.source = cache::Source::kJoined;
    done->Done(std::move(reply));
  };
  const auto reply = asker.Fetch("k")->Answer();
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->loaded.value->bytes(), std::string("\0\r\n\xff", 4));
  EXPECT_EQ(reply->loaded.version, "v1");
  EXPECT_EQ(reply->lease, std::chrono::milliseconds(900));
  EXPECT_EQ(reply->ttl, std::chrono::minutes(10));
  EXPECT_EQ(reply->sequence, uint64_t{1} << 40);
  EXPECT_EQ(reply->source, cache::Source::kJoined);
}

TEST_F(PeerTest, NotFoundAndTheEmptyValueAreDifferent) {
  Join();
  server.service.get = [](const PeerGetRequest& request, const FakeService::GetDone& done) {
    done->Done(request.key == "empty" ? Found("") : cache::PeerReply());
  };
  EXPECT_EQ(asker.Fetch("empty")->Value(), "");
  EXPECT_EQ(asker.Fetch("missing")->Value(), "(not found)");
}

TEST_F(PeerTest, ErrorsKeepTheirCodeAndText) {
  Join();
  for (const ErrorCode code : {ErrorCode::kBackend, ErrorCode::kOverload, ErrorCode::kPeer,
                               ErrorCode::kNotOwner, ErrorCode::kNoGroup, ErrorCode::kNoWrite,
                               ErrorCode::kTooLarge, ErrorCode::kTimeout, ErrorCode::kShutdown}) {
    server.service.get = [code](const PeerGetRequest&, const FakeService::GetDone& done) {
      done->Done(tl::unexpected(cache::Error{code, "users: it went wrong"}));
    };
    const auto reply = asker.Fetch("k")->Answer();
    ASSERT_FALSE(reply);
    EXPECT_EQ(reply.error().code, code);
    EXPECT_EQ(reply.error().text, "users: it went wrong");
  }
}

TEST_F(PeerTest, KeysOfEveryByteAndOf64KiBArrive) {
  Join();
  for (const std::string& key : {Numbered(256), Numbered(65536), std::string()})
    EXPECT_EQ(asker.Fetch(key)->Value(), "value of " + key);
}

TEST_F(PeerTest, GetsOfOneTurnShareAFrameEachWay) {
  Join();
  const auto before = asker.Counters();
  std::vector<std::shared_ptr<FakeFetch>> fetches;
  for (int i = 0; i < 100; ++i)
    fetches.push_back(std::make_shared<FakeFetch>("key-" + std::to_string(i)));
  OnLoop(asker.loop, [&] {
    for (const auto& fetch : fetches)
      asker.link->Fetch(fetch);
  });
  for (int i = 0; i < 100; ++i)
    EXPECT_EQ(fetches[static_cast<size_t>(i)]->Value(), "value of key-" + std::to_string(i));
  const auto after = asker.Counters();
  EXPECT_EQ(after.frames_sent - before.frames_sent, 1u);
  EXPECT_EQ(after.frames_received - before.frames_received, 1u);
}

// What the owner has at once and what it must load are answered in frames of their own.
TEST_F(PeerTest, HitsOfAFrameDoNotWaitForTheOthers) {
  Join();
  std::vector<FakeService::GetDone> held;
  server.service.find = [](const PeerLook& look, const PeerService::Take& take) {
    if (!look.key.bytes.starts_with("hit")) return false;
    cache::PeerReply reply;
    reply.lent = look.key.bytes;
    reply.lease = look.wish == cache::Wish::kLease ? std::chrono::seconds(1) : cache::Duration(0);
    take(reply);
    return true;
  };
  server.service.get = [&](const PeerGetRequest&, const FakeService::GetDone& done) {
    held.push_back(done);
  };
  std::vector<std::shared_ptr<FakeFetch>> fetches;
  for (const char* key : {"hit 1", "slow 1", "hit 2", "slow 2"})
    fetches.push_back(std::make_shared<FakeFetch>(key));
  fetches[2]->wish_wanted = cache::Wish::kLease;
  OnLoop(asker.loop, [&] {
    for (const auto& fetch : fetches)
      asker.link->Fetch(fetch);
  });
  EXPECT_EQ(fetches[0]->Value(), "hit 1");
  EXPECT_EQ(fetches[0]->Answer()->lease, cache::Duration(0));
  EXPECT_EQ(fetches[2]->Value(), "hit 2");
  EXPECT_EQ(fetches[2]->Answer()->lease, std::chrono::seconds(1));
  EXPECT_EQ(server.service.gets.Await(2)[1].key, "slow 2");
  EXPECT_EQ(fetches[1]->replies.size(), 0u);
  OnLoop(server.loop, [&] {
    for (const auto& done : held)
      done->Done(Found("loaded"));
  });
  EXPECT_EQ(fetches[1]->Value(), "loaded");
  EXPECT_EQ(fetches[3]->Value(), "loaded");
}

// Up to 4 KiB a value is lent, above it is a blob, above 1 MiB it comes in chunks; from the store
// at once, or loaded.
TEST_F(PeerTest, ValuesOfEverySizeArriveHoweverTheyAreFound) {
  Join();
  constexpr size_t kSizes[] = {0,
                               1,
                               127,
                               128,
                               4096,
                               4097,
                               262144,
                               kChunkBytes - 1,
                               kChunkBytes,
                               kChunkBytes + 1,
                               3 * kChunkBytes};
  const auto value_of = [](std::string_view key) {
    return Numbered(std::stoul(std::string(key.substr(key.find(' ') + 1))));
  };
  server.service.find = [&](const PeerLook& look, const PeerService::Take& take) {
    if (!look.key.bytes.starts_with("hit")) return false;
    const std::string value = value_of(look.key.bytes);
    cache::PeerReply reply;
    if (value.size() > 4096) {
      reply.loaded.value = cache::MakeBlob(value);
    } else {
      reply.lent = value;
    }
    take(reply);
    return true;
  };
  server.service.get = [&](const PeerGetRequest& request, const FakeService::GetDone& done) {
    done->Done(Found(value_of(request.key)));
  };
  std::vector<std::pair<std::shared_ptr<FakeFetch>, size_t>> fetches;
  for (const size_t size : kSizes) {
    for (const char* how : {"hit ", "load "})
      fetches.emplace_back(std::make_shared<FakeFetch>(how + std::to_string(size)), size);
  }
  OnLoop(asker.loop, [&] {
    for (const auto& [fetch, size] : fetches)
      asker.link->Fetch(fetch);
  });
  for (const auto& [fetch, size] : fetches)
    EXPECT_TRUE(fetch->Value() == Numbered(size)) << fetch->key();
}

TEST_F(PeerTest, NeverAnsweredInsideTheCall) {
  Join();
  auto fetch = std::make_shared<FakeFetch>("k");
  OnLoop(asker.loop, [&] {
    asker.link->Fetch(fetch);
    EXPECT_EQ(fetch->replies.size(), 0u);
    EXPECT_EQ(fetch->sendings, 0);
    asker.link->Stop();
    asker.link->Fetch(std::make_shared<FakeFetch>("later"));
  });
  EXPECT_EQ(fetch->Answer().error().code, ErrorCode::kShutdown);
}

TEST_F(PeerTest, WhatNobodyWaitsForIsLeftOut) {
  Join();
  auto gone = std::make_shared<FakeFetch>("gone");
  gone->wanted = false;
  auto there = std::make_shared<FakeFetch>("there");
  OnLoop(asker.loop, [&] {
    asker.link->Fetch(gone);
    asker.link->Fetch(there);
  });
  EXPECT_EQ(there->Value(), "value of there");
  EXPECT_EQ(server.service.gets.Await(1)[0].key, "there");
  EXPECT_EQ(server.service.gets.size(), 1u);
  EXPECT_EQ(gone->replies.size(), 0u);
}

TEST_F(PeerTest, LargeValueComesInChunksAndHoldsUpNothing) {
  Join();
  const std::string large = Numbered(3 * kChunkBytes + 17);
  server.service.get = [&](const PeerGetRequest& request, const FakeService::GetDone& done) {
    done->Done(Found(request.key == "large" ? large : "small"));
  };
  // Says in which order they were answered.
  auto order = std::make_shared<Record<std::string>>();
  struct Ordered : FakeFetch {
    Ordered(std::string key, std::shared_ptr<Record<std::string>> shared)
        : FakeFetch(std::move(key)), order(std::move(shared)) {}
    void OnReply(Reply reply) override {
      order->Add(std::string(key()));
      FakeFetch::OnReply(std::move(reply));
    }
    std::shared_ptr<Record<std::string>> order;
  };
  auto first = std::make_shared<Ordered>("large", order);
  auto second = std::make_shared<Ordered>("small", order);
  OnLoop(asker.loop, [&] {
    asker.link->Fetch(first);
    asker.link->Fetch(second);
  });
  EXPECT_TRUE(first->Value() == large);
  EXPECT_EQ(second->Value(), "small");
  EXPECT_EQ(order->Await(2), (std::vector<std::string>{"small", "large"}));
  EXPECT_EQ(server.Counters().chunks_sent, 4u);
}

TEST_F(PeerTest, ManyLargeValuesAtOnceArriveWhole) {
  Join();
  server.service.get = [&](const PeerGetRequest& request, const FakeService::GetDone& done) {
    done->Done(Found(request.key + Numbered(2 * kChunkBytes)));
  };
  std::vector<std::shared_ptr<FakeFetch>> fetches;
  for (int i = 0; i < 12; ++i)
    fetches.push_back(asker.Fetch("key-" + std::to_string(i)));
  for (const auto& fetch : fetches)
    EXPECT_TRUE(fetch->Value() == std::string(fetch->key()) + Numbered(2 * kChunkBytes));
}

TEST_F(PeerTest, SlowKeyDoesNotHoldUpItsFrame) {
  Join();
  FakeService::GetDone held;
  server.service.get = [&](const PeerGetRequest& request, const FakeService::GetDone& done) {
    if (request.key == "slow") {
      held = done;
    } else {
      done->Done(Found("quick"));
    }
  };
  auto slow = std::make_shared<FakeFetch>("slow");
  auto quick = std::make_shared<FakeFetch>("quick");
  OnLoop(asker.loop, [&] {
    asker.link->Fetch(slow);
    asker.link->Fetch(quick);
  });
  EXPECT_EQ(quick->Value(), "quick");
  EXPECT_EQ(slow->replies.size(), 0u);
  OnLoop(server.loop, [&] { std::exchange(held, nullptr)->Done(Found("at last")); });
  EXPECT_EQ(slow->Value(), "at last");
}

TEST_F(PeerTest, NoticeIsAcknowledgedOnceDropped) {
  Join();
  Record<bool> acknowledged;
  OnLoop(asker.loop, [&] {
    asker.link->Notify(2, {"k", 99}, cache::Completion<bool>::Make(asker.loop, [&](bool yes) {
                         acknowledged.Add(yes);
                       }));
  });
  EXPECT_TRUE(acknowledged.Await(1)[0]);
  ASSERT_EQ(server.service.notices.size(), 1u);
  EXPECT_EQ(server.service.notices.Await(1)[0].key, "k");
  EXPECT_EQ(server.service.notices.Await(1)[0].sequence, 99u);
}

TEST_F(PeerTest, NoticeToAnotherIncarnationIsNotSent) {
  Join();
  Record<bool> acknowledged;
  OnLoop(asker.loop, [&] {
    asker.link->Notify(3, {"k", 99}, cache::Completion<bool>::Make(asker.loop, [&](bool yes) {
                         acknowledged.Add(yes);
                       }));
  });
  EXPECT_FALSE(acknowledged.Await(1)[0]);
  EXPECT_EQ(server.service.notices.size(), 0u);
}

class InvalidateTest : public PeerTest {
 protected:
  cache::Result<int64_t> Invalidate(std::vector<std::string> keys) {
    Record<cache::Result<int64_t>> results;
    OnLoop(asker.loop, [&] {
      asker.link->Invalidate(std::move(keys),
                             cache::Completion<cache::Result<int64_t>>::Make(
                                 asker.loop, [&](const auto& result) { results.Add(result); }));
    });
    return results.Await(1)[0];
  }
};

TEST_F(InvalidateTest, OwnerCounts) {
  Join();
  EXPECT_EQ(Invalidate({"a", "b", "c"}), 3);
}

TEST_F(InvalidateTest, ManyKeysTravelInSeveralFramesAndAreSummed) {
  Join();
  const std::vector<std::string> keys(5000, std::string(200, 'k'));
  const auto before = asker.Counters();
  EXPECT_EQ(Invalidate(keys), 5000);
  EXPECT_EQ(asker.Counters().frames_sent - before.frames_sent, 4u);
}

TEST_F(InvalidateTest, ErrorOfTheOwnerIsTheAnswer) {
  Join();
  server.service.invalidate = [](const auto&, const FakeService::InvalidateDone& done) {
    done->Done(tl::unexpected(cache::errors::NotOwner("b")));
  };
  EXPECT_EQ(Invalidate({"a"}).error().code, ErrorCode::kNotOwner);
}

TEST_F(InvalidateTest, LostLinkIsNotConfirmed) {
  Join();
  server.service.invalidate = [&](const auto&, const FakeService::InvalidateDone&) {
    // Answered never; and the connection breaks.
    server.loop.Post([&] { server.CloseSessionsHere(); });
  };
  EXPECT_EQ(Invalidate({"a"}).error().text, "owner b did not confirm");
}

class CommandTest : public PeerTest {
 protected:
  cache::Result<CommandReply> Run(std::vector<std::string> args) {
    Record<cache::Result<CommandReply>> results;
    OnLoop(asker.loop, [&] {
      asker.link->Run(1, std::move(args),
                      cache::Completion<cache::Result<CommandReply>>::Make(
                          asker.loop, [&](const auto& result) { results.Add(result); }));
    });
    return results.Await(1)[0];
  }
};

TEST_F(CommandTest, EveryKindOfReplyArrives) {
  Join();
  const auto reply_with = [&](CommandReply reply) {
    server.commands.run = [reply](const auto&, const FakeRunner::Done& done) { done->Done(reply); };
    auto result = Run({"X"});
    EXPECT_TRUE(result);
    return result->value;
  };
  EXPECT_EQ(std::get<CommandReply::Status>(reply_with({CommandReply::Status{"OK"}})).text, "OK");
  EXPECT_EQ(std::get<CommandReply::Error>(reply_with({CommandReply::Error{"ERR no"}})).text,
            "ERR no");
  EXPECT_EQ(std::get<int64_t>(reply_with({int64_t{-5}})), -5);
  EXPECT_EQ(std::get<cache::BlobPtr>(reply_with({cache::MakeBlob("b")}))->bytes(), "b");
  EXPECT_EQ(std::get<cache::BlobPtr>(reply_with({cache::MakeBlob("")}))->bytes(), "");
  EXPECT_TRUE(std::holds_alternative<CommandReply::Null>(reply_with({})));
}

TEST_F(CommandTest, ArgumentsArriveLargeOnesToo) {
  Join();
  server.commands.run = [](const std::vector<std::string>& args, const FakeRunner::Done& done) {
    done->Done(CommandReply{cache::MakeBlob(args[2])});
  };
  const std::string large = Numbered(2 * kChunkBytes + 5);
  const auto reply = Run({"SET", "", large, "PX", "100"});
  ASSERT_TRUE(reply);
  EXPECT_TRUE(std::get<cache::BlobPtr>(reply->value)->bytes() == large);
  EXPECT_TRUE(server.commands.commands.Await(1)[0] ==
              (std::vector<std::string>{"SET", "", large, "PX", "100"}));
}

TEST_F(CommandTest, CommandThatDidNotRunSaysWhy) {
  Join();
  server.commands.run = [](const auto&, const FakeRunner::Done& done) {
    done->Done(tl::unexpected(cache::errors::NotOwner("b")));
  };
  EXPECT_EQ(Run({"SET"}).error().code, ErrorCode::kNotOwner);
}

TEST_F(CommandTest, LostLinkLeavesTheOutcomeUnknown) {
  Join();
  server.commands.run = [&](const auto&, const FakeRunner::Done&) {
    server.loop.Post([&] { server.CloseSessionsHere(); });
  };
  EXPECT_EQ(Run({"SET"}).error().text, "outcome unknown, link to owner b was lost");
}

TEST_F(CommandTest, CommandThatNobodyWaitsForIsNotSent) {
  Join();
  OnLoop(asker.loop, [&] {
    auto done =
        cache::Completion<cache::Result<CommandReply>>::Make(asker.loop, [](const auto&) {});
    asker.link->Run(1, {"SET", "k", "v"}, done);
    done->Cancel();
  });
  EXPECT_TRUE(Run({"PING"}));
  EXPECT_EQ(server.commands.commands.size(), 1u);
}

}  // namespace
}  // namespace cistern::cluster
