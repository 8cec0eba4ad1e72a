-- meters: how much was in use, scope by scope: a meter that runs in the hour that goes on, and rows of the hours, days and months before.
-- keys: meters usage
-- A meter is {count, over, last_ms, row}: seats in use and those of them in the overdraft since last_ms, and the row so far of the hour
-- (UTC) of last_ms. A row is {peak, seat_ms, over_ms, grants, healed, denials by code, milliseconds by count}. Nothing in use, nothing
-- asked for: no row. A closed hour is in `usage` as h, and added to its day (d) and month (m).

local HOUR_MS, HOURS_KEPT, DAYS_KEPT = 3600000, 960, 800

local running, closed = {}, {}

local function new_row(count)
  return {count, 0, 0, 0, 0, {}, {}}
end

-- Counts from 200 on are grouped, in steps of 1 % at the most, so a row stays small.
local function bucket(count)
  local width = 1
  while count >= 200 * width do
    width = width * 2
  end
  return count - count % width
end

local function pass(meter, row, ms)
  if ms > 0 and meter[1] > 0 then
    local at = bucket(meter[1])
    row[2], row[3] = row[2] + meter[1] * ms, row[3] + meter[2] * ms
    row[7][at] = (row[7][at] or 0) + ms
  end
  return row
end

local function add(row, more)
  row[1] = math.max(row[1], more[1])
  for i = 2, 5 do
    row[i] = row[i] + more[i]
  end
  for i = 6, 7 do
    for name, value in pairs(more[i]) do
      row[i][name] = (row[i][name] or 0) + value
    end
  end
end

-- Months since the year 0 of a day since 1970 (the calendar's 400 years have 146,097 days; March comes first, so a leap day is last).
local function month_of(day)
  local era = math.floor((day + 719468) / 146097)
  local of_era = day + 719468 - era * 146097
  local year = math.floor((of_era - math.floor(of_era / 1460) + math.floor(of_era / 36524) - math.floor(of_era / 146096)) / 365)
  local of_year = of_era - 365 * year - math.floor(year / 4) + math.floor(year / 100)
  return (era * 400 + year) * 12 + math.floor((5 * of_year + 2) / 153) + 2
end

local function field_of(level, number, scope)
  return level .. string.format('%.0f', number) .. '\0' .. scope
end

local function add_to(level, number, scope, more)
  local field = field_of(level, number, scope)
  if not closed[field] then
    local packed = redis.call('HGET', usage, field)
    closed[field] = packed and cmsgpack.unpack(packed) or new_row(0)
  end
  add(closed[field], more)
end

local function close_hour(scope, hour, row)
  if row[1] > 0 or row[5] > 0 or next(row[6]) then
    closed[field_of('h', hour, scope)] = row
    add_to('d', math.floor(hour / 24), scope, row)
    add_to('m', month_of(math.floor(hour / 24)), scope, row)
  end
end

-- Whole hours in which nothing changed. They may be many, so their days and months are reckoned day by day.
local function fill(scope, meter, from, till)
  if meter[1] == 0 then
    return
  end
  from = math.max(from, till - DAYS_KEPT * 24)
  local same = pass(meter, new_row(meter[1]), HOUR_MS)
  for hour = math.max(from, till - HOURS_KEPT), till - 1 do
    closed[field_of('h', hour, scope)] = same
  end
  for day = math.floor(from / 24), math.floor((till - 1) / 24) do
    local hours = math.min(till, day * 24 + 24) - math.max(from, day * 24)
    local row = pass(meter, new_row(meter[1]), hours * HOUR_MS)
    add_to('d', day, scope, row)
    add_to('m', month_of(day), scope, row)
  end
end

local function advance(scope, meter, at_ms)
  local before, hour = math.floor(meter[3] / HOUR_MS), math.floor(at_ms / HOUR_MS)
  if before < hour then
    close_hour(scope, before, pass(meter, meter[4], (before + 1) * HOUR_MS - meter[3]))
    fill(scope, meter, before + 1, hour)
    meter[3], meter[4] = hour * HOUR_MS, new_row(meter[1])
  end
  pass(meter, meter[4], at_ms - meter[3])
  meter[3] = at_ms
  return meter
end

-- The last moment of which the customer's meters know: their time never goes back, whatever the server's clock does.
local function metered_ms()
  local packed = redis.call('HGET', meters, 'c')
  local meter = packed and cmsgpack.unpack(packed)
  if meter then
    running.c = advance('c', meter, math.max(wall_ms, meter[3]))
  end
  return meter and meter[3] or wall_ms
end

local function meter_of(scope, at_ms)
  if not running[scope] then
    local packed = redis.call('HGET', meters, scope)
    local meter = packed and cmsgpack.unpack(packed) or {0, 0, at_ms, new_row(0)}
    running[scope] = advance(scope, meter, at_ms)
  end
  return running[scope]
end

-- What is older than is kept is looked for a little at a time, whenever an hour has been closed: scopes that nobody uses any more age too.
local function forget_old_rows()
  local hours = math.floor(wall_ms / HOUR_MS)
  local oldest = {h = hours - HOURS_KEPT, d = math.floor(hours / 24) - DAYS_KEPT, m = 0}
  local looked_at = math.min(500, math.max(20, math.floor(redis.call('HLEN', usage) / 500)))
  local fields = redis.call('HRANDFIELD', usage, looked_at)
  for _, field in ipairs(fields) do
    local level, number = string.match(field, '^(%a)(%d+)')
    if tonumber(number) < oldest[level] then
      redis.call('HDEL', usage, field)
    end
  end
end

-- Writes in portions: a command takes only so many words from Lua.
local function write_rows()
  local words, packed = {}, {}
  for field, row in pairs(closed) do
    packed[row] = packed[row] or cmsgpack.pack(row)
    words[#words + 1], words[#words + 2] = field, packed[row]
  end
  for first = 1, #words, 2000 do
    redis.call('HSET', usage, unpack(words, first, math.min(first + 1999, #words)))
  end
  if #words > 0 then
    forget_old_rows()
  end
end

local function write_meters()
  local words = {}
  for scope, meter in pairs(running) do
    words[#words + 1], words[#words + 2] = scope, cmsgpack.pack(meter)
  end
  for first = 1, #words, 2000 do
    redis.call('HSET', meters, unpack(words, first, math.min(first + 1999, #words)))
  end
  write_rows()
end
