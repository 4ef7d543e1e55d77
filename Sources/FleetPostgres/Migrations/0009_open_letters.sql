-- Dead letters are kept for ever, and the few that nobody has decided about are counted often.
CREATE INDEX dead_letter_open ON dead_letter (id) WHERE state = 'open';
