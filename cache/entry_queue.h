// EntryQueue: a doubly linked list through the entries themselves, newest at the front.
#pragma once

#include <cstddef>

#include "cache/entry.h"

namespace cistern::cache {

class EntryQueue {
 public:
  // `arena` holds the entries and outlives the queue.
  explicit EntryQueue(const Arena& arena) : arena_(&arena) {}

  void PushFront(Entry* entry) {
    const Ref ref = arena_->RefOf(entry);
    entry->prev = Ref::kNone;
    entry->next = front_;
    (front_ != Ref::kNone ? At(front_)->prev : back_) = ref;
    front_ = ref;
    ++size_;
  }
  void Remove(Entry* entry) {
    (entry->prev != Ref::kNone ? At(entry->prev)->next : front_) = entry->next;
    (entry->next != Ref::kNone ? At(entry->next)->prev : back_) = entry->prev;
    entry->prev = entry->next = Ref::kNone;
    --size_;
  }
  // `moved` is a copy of an entry of this queue and stands for it from now on.
  void Replace(Entry* moved) {
    const Ref ref = arena_->RefOf(moved);
    (moved->prev != Ref::kNone ? At(moved->prev)->next : front_) = ref;
    (moved->next != Ref::kNone ? At(moved->next)->prev : back_) = ref;
  }
  Entry* PopBack() {
    Entry* entry = back();
    if (entry != nullptr) Remove(entry);
    return entry;
  }
  Entry* front() const { return front_ == Ref::kNone ? nullptr : At(front_); }
  Entry* back() const { return back_ == Ref::kNone ? nullptr : At(back_); }
  // The one that will stand at the back when that has gone.
  void PrefetchSecond() const {
    if (back_ != Ref::kNone && At(back_)->prev != Ref::kNone) At(At(back_)->prev)->Prefetch();
  }
  size_t size() const { return size_; }

 private:
  Entry* At(Ref ref) const { return reinterpret_cast<Entry*>(arena_->At(ref)); }

  const Arena* arena_;
  Ref front_ = Ref::kNone;
  Ref back_ = Ref::kNone;
  size_t size_ = 0;
};

}  // namespace cistern::cache
