// EntryQueue: a doubly linked list through the entries themselves, newest at the front.
#pragma once

#include <cstddef>

#include "cache/entry.h"

namespace cistern::cache {

class EntryQueue {
 public:
  void PushFront(Entry* entry) {
    entry->prev = nullptr;
    entry->next = front_;
    if (front_ != nullptr) front_->prev = entry;
    front_ = entry;
    if (back_ == nullptr) back_ = entry;
    ++size_;
  }
  void Remove(Entry* entry) {
    (entry->prev != nullptr ? entry->prev->next : front_) = entry->next;
    (entry->next != nullptr ? entry->next->prev : back_) = entry->prev;
    entry->prev = entry->next = nullptr;
    --size_;
  }
  Entry* PopBack() {
    Entry* entry = back_;
    if (entry != nullptr) Remove(entry);
    return entry;
  }
  Entry* front() const { return front_; }
  Entry* back() const { return back_; }
  size_t size() const { return size_; }

 private:
  Entry* front_ = nullptr;
  Entry* back_ = nullptr;
  size_t size_ = 0;
};

}  // namespace cistern::cache
