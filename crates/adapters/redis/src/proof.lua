-- Uses a proof once, for all replicas, and tells the epoch of this memory.
--
-- KEYS[1]  the epoch, and the run of the server that it is of
-- KEYS[2]  whether the proof was used
-- ARGV[1]  an epoch that is new, where one is needed
-- ARGV[2]  the epoch that the proof's nonce is of; empty where only the epoch is asked for
-- ARGV[3]  for how many milliseconds it is remembered
--
-- Returns {0 of another epoch, 1 first, 2 again; the epoch}.

-- A server that starts again from a file, or that takes the place of one that failed, may lack the
-- last of what was used, and have the epoch all the same. Its run is another.
local run = string.match(redis.call('INFO', 'server'), 'run_id:(%w+)')
if not run then
  return redis.error_reply('the server does not tell its run')
end

local epoch = string.match(redis.call('GET', KEYS[1]) or '', '^(%x+):' .. run .. '$')
if not epoch then
  epoch = ARGV[1]
  redis.call('SET', KEYS[1], epoch .. ':' .. run)
end

if ARGV[2] ~= epoch then
  return {0, epoch}
end
if redis.call('SET', KEYS[2], '', 'NX', 'PX', ARGV[3]) then
  return {1, epoch}
end
return {2, epoch}
