/** A place that exists: its city, its state or province, a ZIP or postal code there, and its country. */
export type Place = { city: string; state: string; zip: string; country: 'US' | 'CA' };

const row = (country: Place['country']) => (line: string) => {
  const [city = '', state = '', zip = ''] = line.split(', ');
  return { city, state, zip, country };
};

/** Real places, so that an address passes any check of its parts against one another. */
export const places: readonly Place[] = [
  ...[
    'Redwood City, CA, 94063',
    'San Diego, CA, 92101',
    'Portland, OR, 97205',
    'Seattle, WA, 98101',
    'Boise, ID, 83702',
    'Denver, CO, 80202',
    'Phoenix, AZ, 85004',
    'Austin, TX, 78701',
    'Houston, TX, 77002',
    'Chicago, IL, 60601',
    'Minneapolis, MN, 55401',
    'Nashville, TN, 37203',
    'Atlanta, GA, 30303',
    'Miami, FL, 33130',
    'Boston, MA, 02108',
    'Hartford, CT, 06103',
    'Newark, NJ, 07102',
    'New York, NY, 10001',
    'Philadelphia, PA, 19103',
    'Columbus, OH, 43215',
  ].map(row('US')),
  ...[
    'Toronto, ON, M5H 2N2',
    'Ottawa, ON, K1P 1J1',
    'Montreal, QC, H2Y 1C6',
    'Vancouver, BC, V6B 1A1',
    'Calgary, AB, T2P 1J9',
    'Winnipeg, MB, R3C 0A5',
    'Halifax, NS, B3J 1S9',
    'Regina, SK, S4P 3Y2',
  ].map(row('CA')),
];

/** Area codes in use in the United States and Canada; with 555-01xx, which is kept for fiction, each gives a hundred numbers. */
export const areaCodes: readonly number[] = [
  ...[201, 202, 203, 205, 206, 207, 208, 209, 210, 212, 213, 214, 215, 216, 217, 218, 219, 224, 225, 228, 229, 231, 234, 239, 240],
  ...[248, 251, 252, 253, 254, 256, 260, 262, 267, 269, 270, 276, 281, 301, 302, 303, 304, 305, 307, 308, 309, 310, 312, 313, 314],
  ...[315, 316, 317, 318, 319, 320, 321, 323, 325, 330, 334, 336, 337, 339, 347, 351, 352, 360, 361, 386, 401, 402, 404, 405, 406],
  ...[407, 408, 409, 410, 412, 413, 414, 415, 417, 419, 423, 425, 430, 432, 434, 435, 440, 443, 469, 478, 479, 480, 484, 501, 502],
  ...[503, 504, 505, 507, 508, 509, 510, 512, 513, 515, 516, 517, 518, 520, 530, 540, 541, 551, 559, 561, 562, 563, 567, 570, 571],
  ...[573, 574, 580, 585, 586, 601, 602, 603, 605, 606, 607, 608, 609, 610, 612, 614, 615, 616, 617, 618, 619, 620, 623, 626, 630],
  ...[631, 636, 641, 646, 650, 651, 660, 661, 662, 678, 682, 701, 702, 703, 704, 706, 707, 708, 712, 713, 714, 715, 716, 717, 718],
  ...[719, 720, 724, 727, 731, 732, 734, 740, 754, 757, 760, 763, 765, 770, 772, 773, 774, 775, 781, 785, 786, 801, 802, 803, 804],
  ...[805, 806, 808, 810, 812, 813, 814, 815, 816, 817, 818, 828, 830, 831, 832, 843, 845, 847, 848, 850, 856, 857, 858, 859, 860],
  ...[862, 863, 864, 865, 870, 901, 903, 904, 906, 907, 908, 909, 910, 912, 913, 914, 915, 916, 917, 918, 919, 920, 925, 928, 931],
  ...[936, 937, 940, 941, 947, 949, 951, 952, 954, 956, 970, 971, 972, 973, 978, 979, 980, 985, 989],
  ...[
    204, 226, 250, 289, 306, 403, 416, 418, 438, 450, 506, 514, 519, 581, 587, 604, 613, 647, 705, 709, 778, 780, 807, 819, 867, 902, 905,
  ],
];
