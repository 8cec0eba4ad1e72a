-- deliveries: what waits to be sent to webhooks. Each is a record under its id, and stands in its webhook's line by the time at which it is
-- to be sent next; when somebody must look at a webhook's line next is known to the whole partition.
-- keys: webhooks deliveries delivery_times delivery_bodies dead_letters (with indexes)
-- A record: id, webhook, type, seq, event, due_ms, tries, and as they apply slot, claim, error. All by the calendar (`wall_ms`).

local function place_of(record)
  return record.webhook .. '\0' .. string.format('%016d', record.due_ms) .. '\0' .. record.id
end

local function look_at_line(webhook)
  local soonest = range(delivery_times, webhook, 1)[1]
  local member = args.customer .. '\0' .. webhook
  if soonest then
    redis.call('ZADD', deliveries, tonumber(string.match(soonest, '%z(%d+)%z')), member)
  else
    redis.call('ZREM', deliveries, member)
  end
end

local function take_from_line(record)
  if record.due_ms then
    redis.call('ZREM', delivery_times, place_of(record))
  end
end

local function put_delivery(record, due_ms)
  take_from_line(record)
  record.due_ms = due_ms
  redis.call('ZADD', delivery_times, 0, place_of(record))
  redis.call('HSET', delivery_bodies, record.id, cmsgpack.pack(record))
end

-- From now on nothing is added to it.
local function seal(record)
  if record.slot then
    redis.call('HDEL', delivery_bodies, record.slot)
    record.slot = nil
  end
end

local function remove_delivery(record)
  seal(record)
  take_from_line(record)
  redis.call('HDEL', delivery_bodies, record.id)
end

local give_up, give_up_together

do

local LETTERS_KEPT, WEBHOOKS, SLOTS_KEPT, MINUTE_MS = 1000, 10, 100, 60000

-- The last letters of a webhook, by the number of each among all that it ever had: the next one takes the oldest one's place.
local function letter_place(webhook, number)
  return 'letter\0' .. webhook .. '\0' .. number % LETTERS_KEPT
end

local function forget_letters(webhook)
  for number = 1, LETTERS_KEPT do
    local letter = redis.call('HGET', delivery_bodies, letter_place(webhook, number))
    if letter then
      redis.call('XDEL', dead_letters, letter)
      redis.call('HDEL', delivery_bodies, letter_place(webhook, number))
    end
  end
  redis.call('HDEL', delivery_bodies, 'book\0' .. webhook)
end

-- A webhook's first letter: what is kept of those that are gone goes.
local function new_book(webhook)
  local packed, kept = redis.call('HGET', delivery_bodies, 'books'), {webhook}
  for _, other in ipairs(packed and cmsgpack.unpack(packed) or {}) do
    if redis.call('HEXISTS', webhooks, other) == 1 then
      kept[#kept + 1] = other
    else
      forget_letters(other)
    end
  end
  redis.call('HSET', delivery_bodies, 'books', cmsgpack.pack(kept))
  return {last = 0, minute = 0, slots = 0, open = {}}
end

-- `last`: the number of a webhook's last letter; `open`: the letters of this minute that more is added to.
local function book_of(webhook)
  local packed = redis.call('HGET', delivery_bodies, 'book\0' .. webhook)
  return packed and cmsgpack.unpack(packed) or new_book(webhook)
end

local function keep_book(webhook, book)
  redis.call('HSET', delivery_bodies, 'book\0' .. webhook, cmsgpack.pack(book))
end

local function put_letter(record, number)
  local place = letter_place(record.webhook, number)
  local before = redis.call('HGET', delivery_bodies, place)
  if before then
    redis.call('XDEL', dead_letters, before)
  end
  local letter = redis.call('XADD', dead_letters, 'MAXLEN', LETTERS_KEPT * WEBHOOKS, '*', 'd', cmsgpack.pack(record))
  redis.call('HSET', delivery_bodies, place, letter)
  return letter
end

local function add_letter(record, why, book)
  record.due_ms, record.claim, record.slot, record.error = nil, nil, nil, why
  book.last = book.last + 1
  return put_letter(record, book.last)
end

function give_up(record, why)
  local book = book_of(record.webhook)
  add_letter(record, why, book)
  keep_book(record.webhook, book)
end

-- Those of one slot in one minute become one: `add(event, other)` adds an event to another.
function give_up_together(record, why, add)
  local book, slot, minute = book_of(record.webhook), record.slot, math.floor(wall_ms / MINUTE_MS)
  if book.minute ~= minute then
    book.minute, book.slots, book.open = minute, 0, {}
  end
  local open = book.open[slot]
  local found = open and redis.call('XRANGE', dead_letters, open.letter, open.letter)[1]
  if found then
    local earlier = cmsgpack.unpack(found[2][2])
    add(earlier.event, record.event)
    open.letter = put_letter(earlier, open.number)
  else
    local letter = add_letter(record, why, book)
    if open or book.slots < SLOTS_KEPT then
      book.slots = book.slots + (open and 0 or 1)
      book.open[slot] = {letter = letter, number = book.last}
    end
  end
  keep_book(record.webhook, book)
end

end
