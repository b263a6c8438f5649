-- Counts one request of one key in a window of a minute that slides, as the limiter in memory does:
-- a bucket holds at most a twentieth of the limit, and leaves the window when its first request does.
--
-- KEYS[1]  what is counted of the key: {last admitted, first of a bucket, its count, first, count, ...}
-- KEYS[2]  since when this server has counted everything
-- ARGV[1]  the present, in microseconds        ARGV[2]  how many requests a minute are admitted
--
-- Returns {admitted, remaining, resets at, counts since, whether that was there}.

local WINDOW, PART = 60000000, 20
-- A replica whose clock is a little ahead may have written it. One that is in another year must not
-- be believed for that long.
local AHEAD = 3600000000

local now, limit = tonumber(ARGV[1]), tonumber(ARGV[2])

-- What is no number counts as absent: nothing is believed for a minute then.
local since, known = tonumber(redis.call('GET', KEYS[2]) or nil), 1
if not since or since > now + AHEAD then
  redis.call('SET', KEYS[2], ARGV[1])
  since, known = now, 0
end

local kept = redis.call('GET', KEYS[1])
local state, last, counted = {now}, nil, 0
if kept then
  local before = cmsgpack.unpack(kept)
  last = before[1]
  -- A clock that steps back must not empty the window: time stands still until it has caught up.
  now = math.max(now, last)
  for at = 2, #before, 2 do
    if before[at] + WINDOW > now then
      state[#state + 1] = before[at]
      state[#state + 1] = before[at + 1]
      counted = counted + before[at + 1]
    end
  end
end

local admitted = counted < limit
if admitted then
  counted, last, state[1] = counted + 1, now, now
  local most = math.max(math.floor(limit / PART), 1)
  local size = #state
  if size > 1 and state[size] < most and now < state[size - 1] + WINDOW / PART then
    state[size] = state[size] + 1
  else
    state[size + 1], state[size + 2] = now, 1
  end
  redis.call('SET', KEYS[1], cmsgpack.pack(state), 'PX', WINDOW / 1000)
end

return {
  admitted and 1 or 0,
  math.max(limit - counted, 0),
  last and math.max(last + WINDOW, now) or now,
  since,
  known,
}
