// Recycler: an allocator for single objects that come and go with every request: memory of one that
// went is the next one's, without a visit to malloc.
#pragma once

#include <cstddef>
#include <new>
#include <utility>

namespace cistern::cache {

// Stateless, for std::allocate_shared and containers. Each thread has a list a type, of as much as
// it has had in use at one time, up to kMost; what is freed on another thread joins that one's
// list. Arrays come from the heap. With a sanitizer everything does: it is to see what is used
// after it was freed.
template <class T>
class Recycler {
 public:
  using value_type = T;  // NOLINT(readability-identifier-naming): std names it

  Recycler() = default;
  template <class U>
  Recycler(const Recycler<U>&) {}  // NOLINT(google-explicit-constructor): containers convert it
  friend bool operator==(Recycler, Recycler) { return true; }

  T* allocate(size_t n) {  // NOLINT(readability-identifier-naming)
    Free& free = ThreadsFree();
    if (n != 1 || free.first == nullptr) return static_cast<T*>(::operator new(n * sizeof(Slot)));
    Slot* slot = free.first;
    free.first = slot->next;
    --free.count;
    return reinterpret_cast<T*>(slot);
  }
  void deallocate(T* object, size_t n) {  // NOLINT(readability-identifier-naming)
    Free& free = ThreadsFree();
    if (n != 1 || free.count >= free.most) return ::operator delete(static_cast<void*>(object));
    if (free.first == nullptr) EmptyAtTheEnd();
    free.first = new (static_cast<void*>(object)) Slot{free.first};
    ++free.count;
  }

 private:
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) || defined(__clang_analyzer__)
  static constexpr size_t kMost = 0;
#else
  static constexpr size_t kMost = 2048;
#endif

  union Slot {
    Slot* next;
    alignas(T) std::byte bytes[sizeof(T)];  // NOLINT(bugprone-sizeof-expression): of pointers too
  };
  // Needs no destructor, so that it can still be asked when the thread's others have run.
  struct Free {
    Slot* first = nullptr;
    size_t count = 0;
    size_t most = kMost;
  };
  // Of a thread that has kept something: gives it to the heap when the thread ends.
  struct Emptier {
    ~Emptier() {
      Free& free = ThreadsFree();
      free.most = 0;  // whatever the thread frees from now on goes to the heap
      while (free.first != nullptr)
        ::operator delete(std::exchange(free.first, free.first->next));
    }
    void Use() {}
  };

  static Free& ThreadsFree() {
    thread_local Free free;
    return free;
  }
  static void EmptyAtTheEnd() {
    thread_local Emptier emptier;
    emptier.Use();  // made here, by the first one of the thread
  }
};

}  // namespace cistern::cache
