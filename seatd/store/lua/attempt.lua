-- attempt: may somebody try to sign in now, under this name and from this place? It is counted as failed before it is made, so many
-- at once are no way around; `forgive` takes it back.
--
-- After a few failures each further one must wait, twice as long as the one before: whoever has failed, and whoever comes to a name that
-- others have failed with. Who has not failed himself is let in all the same, or strangers could lock people out; but not more than
-- some per minute, or many strangers together would have no bound.
-- keys: attempts
-- args: who origin at_ms
-- answers: go {} | wait {wait_ms}
-- uses: view failures
local FREE, FIRST_MS, LONGEST_MS = 5, 1000, 15 * 60 * 1000
local GUESTS, MINUTE_MS = 10, 60 * 1000
local MOST = 20000

local function recent(field)
  local record = failures_of(field)
  if is_forgotten(record, args.at_ms) then
    return {count = 0, last_ms = 0, until_ms = 0}
  end
  return record
end

local function failed(record)
  record.count = record.count + 1
  record.last_ms, record.before_ms = args.at_ms, record.until_ms
  if record.count >= FREE then
    record.until_ms = args.at_ms + math.min(LONGEST_MS, FIRST_MS * 2 ^ math.min(record.count - FREE, 20))
  end
end

-- A stranger to a name that is under attack: one of few in this minute, or not.
local function is_guest(record)
  local minute = math.floor(args.at_ms / MINUTE_MS)
  if record.minute ~= minute then
    record.minute, record.guests = minute, 0
  end
  record.guests = record.guests + 1
  return record.guests <= GUESTS
end

-- Names and places can be made up without end: the oldest half goes when there are too many. (Those of codes stay.)
local function make_room()
  if redis.call('HLEN', attempts) < MOST then
    return
  end
  local kept, rows = {}, redis.call('HGETALL', attempts)
  for i = 1, #rows, 2 do
    if string.sub(rows[i], 1, 5) ~= 'code:' then
      kept[#kept + 1] = {rows[i], cjson.decode(rows[i + 1]).last_ms}
    end
  end
  table.sort(kept, function(a, b) return a[2] < b[2] end)
  for i = 1, math.floor(#kept / 2) do
    redis.call('HDEL', attempts, kept[i][1])
  end
end

local by_name, by_origin = 'name:' .. args.who, 'from:' .. args.origin
local name, origin = recent(by_name), recent(by_origin)
local wait_ms = origin.until_ms - args.at_ms
if wait_ms <= 0 and name.until_ms > args.at_ms then
  if origin.count > 0 or not is_guest(name) then
    wait_ms = name.until_ms - args.at_ms
  end
end
if wait_ms > 0 then
  if name.guests then
    keep_failures(by_name, name)
  end
  return answer('wait', {wait_ms = wait_ms})
end
make_room()
failed(name)
failed(origin)
keep_failures(by_name, name)
keep_failures(by_origin, origin)
return answer('go')
