// Test-only builds that leave a rule out, so that the history checker can show that it would
// notice.
#pragma once

namespace cistern::cache {

#ifdef CISTERN_LEAVE_OUT_DETACH
inline constexpr bool kDetachFlights = false;
#else
inline constexpr bool kDetachFlights = true;
#endif

#ifdef CISTERN_LEAVE_OUT_NOTICE
inline constexpr bool kSendNotices = false;
#else
inline constexpr bool kSendNotices = true;
#endif

}  // namespace cistern::cache
