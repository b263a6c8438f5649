-- How wrk sends the requests of a scenario and tells what became of them. `BENCH` stands above.
local ffi = require("ffi")
ffi.cdef [[
  typedef struct { long seconds; long nanoseconds; } bench_time;
  int clock_gettime(int clock, bench_time *time);
  int getpid(void);
  int kill(int process, int signal);
]]
local MONOTONIC = 1
local INTERRUPT = 2
local time = ffi.new("bench_time")

local function microseconds()
  ffi.C.clock_gettime(MONOTONIC, time)
  return tonumber(time.seconds) * 1000000 + math.floor(tonumber(time.nanoseconds) / 1000)
end

local function made(line)
  local length = BENCH.length and tostring(BENCH.length + #line) or ""
  return BENCH.head .. length .. BENCH.before .. line .. BENCH.after
end

local threads, lines, all, at = {}, nil, {}, 0

function setup(thread)
  table.insert(threads, thread)
end

function init()
  if BENCH.once then
    lines = io.lines(BENCH.list)
  elseif BENCH.list then
    for line in io.lines(BENCH.list) do table.insert(all, made(line)) end
  else
    all[1] = made("")
  end
  current = nil
end

-- Of a list whose lines are used once, the last request is sent again until the thread has stopped;
-- what ended when is noted, so that the time after it does not count.
function request()
  if not lines then
    at = at % #all + 1
    return all[at]
  end
  began = began or microseconds()
  local line = not used_up and lines()
  if line then
    current = made(line)
  elseif not used_up then
    used_up = microseconds()
    wrk.thread:stop()
    -- The main thread sleeps until the time is over, unless it is interrupted.
    ffi.C.kill(ffi.C.getpid(), INTERRUPT)
  end
  return current
end

function done(summary, latency)
  local lasted = summary.duration
  for _, thread in ipairs(threads) do
    local used_up = thread:get("used_up")
    if used_up then
      lasted = math.min(lasted, used_up - thread:get("began"))
    end
  end
  local errors = summary.errors
  io.write(string.format(
    'bench {"requests":%d,"microseconds":%d,"connect":%d,"read":%d,"write":%d,"status":%d,"timeout":%d,"p50":%d,"p99":%d}\n',
    summary.requests, lasted, errors.connect, errors.read, errors.write, errors.status,
    errors.timeout, latency:percentile(50), latency:percentile(99)))
end
