-- reservations: seats that are kept for a user, a group or a domain, and seats that are promised to somebody in the queue.
-- keys: seats (with indexes)

-- Seats that are free but promised to somebody in the queue (see hand_on.lua): by license and holder; and their number by license,
-- and by license and reservation. Like a seat that is taken, one that is promised is shared by all sessions of its holder.
local promised, promised_number = {}, {}

-- How many seats of a reservation are still kept for those it is made for.
local function kept_by(record, reservation)
  local place = record.id .. '\1' .. reservation.name
  return math.max(0, reservation.seats - count(seats, place) - (promised_number[place] or 0))
end

local function is_for(reservation, who)
  if reservation.user or reservation.domain then
    return reservation.user == who.user or reservation.domain == who.domain
  end
  for _, group in ipairs(who.groups or {}) do
    if group == reservation.group then
      return true
    end
  end
  return false
end

-- How many seats are kept for others, and the first reservation (the key has the narrowest first) that has one for this user.
local function reserved(record, who)
  local kept, own = 0, nil
  for _, reservation in ipairs((record.policy or {}).reservations or {}) do
    reservation.name = (reservation.user and 'user:' .. reservation.user)
      or (reservation.group and 'group:' .. reservation.group)
      or 'domain:' .. reservation.domain
    local seats_kept = kept_by(record, reservation)
    kept = kept + seats_kept
    own = own or (seats_kept > 0 and is_for(reservation, who) and reservation.name)
  end
  return kept, own
end

-- Others are kept off a reserved seat in the overdraft too, so it is there for whom it is kept.
local function with_reservation(found)
  for _, record in ipairs(found) do
    if record.reserved and record.taken < record.limit + record.overdraft then
      return record, record.reserved
    end
  end
end
